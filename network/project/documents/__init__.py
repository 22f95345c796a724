"""What programs read about the interfaces: OpenAPI, AsyncAPI, the guide; made from the catalogue."""
