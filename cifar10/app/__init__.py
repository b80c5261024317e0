"""Web service: trained models classify pictures, on a page and through an HTTP API."""
