// Shows the OpenAPI document with Swagger UI, from fastapi-offline.
SwaggerUIBundle({dom_id: "#api", url: "openapi.json", deepLinking: true, validatorUrl: null});
