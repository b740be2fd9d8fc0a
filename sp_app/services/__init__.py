"""The use cases of the service provider. None of them sees a request: `sp_app.composition` makes them for one."""
