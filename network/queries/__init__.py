"""Lists for screens and for the gateway, already limited to what the actor may see."""
