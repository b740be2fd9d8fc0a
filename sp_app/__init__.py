"""The service provider, for any Pyramid app: `config.include("sp_app")`."""
