from setuptools import find_packages, setup

setup(name="saml-federation", version="0.1.0", python_requires=">=3.11", packages=find_packages(include=["federation*", "idp_app*", "sp_app*"]), include_package_data=True,
      entry_points={"paste.app_factory": ["idp = idp_app:main", "sp = sp_app.demo:main"], "console_scripts": ["federation = federation.cli.main:main"],
                    "federation.commands": ["idp = idp_app.cli:idp", "sp = sp_app.cli:sp"]})
