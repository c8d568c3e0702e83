"use strict";

// Draws the API's description. Addresses are relative to /docs, so the page also works behind a proxy that adds a path.
window.ui = SwaggerUIBundle({
	url: "openapi.json",
	dom_id: "#api",
	deepLinking: true,
	docExpansion: "list",
	defaultModelsExpandDepth: 0,
	displayRequestDuration: true,
	persistAuthorization: false,
	validatorUrl: null,
});
