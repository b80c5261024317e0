// Shows the OpenAPI document with Swagger UI, which comes with fastapi-offline.
SwaggerUIBundle({dom_id: "#api", url: "openapi.json", deepLinking: true, validatorUrl: null});
