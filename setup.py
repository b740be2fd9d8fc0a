"""Package metadata and entry points. The tools' settings are in pyproject.toml, exact versions in the locks."""

from pathlib import Path

from setuptools import find_packages, setup

RUN = [
    "alembic>=1.16",
    "argon2-cffi>=25.1",
    "click>=8.2",
    "cryptography>=45",
    "httpx>=0.28",
    "huey>=3.0,<4",
    "jinja2>=3.1.6",
    # lxml and xmlsec each carry a libxml2 in their wheels, and trees pass from one to the other: the two must be built
    # on the same one, so the pair is pinned exactly and moves together (docs/decisions/xmlsec-in-process.md).
    "lxml==6.1.3",
    "xmlsec==1.3.17",
    "pastedeploy>=3.1",
    "plaster-pastedeploy>=1.0.1",
    # JSON that each sign-in writes: a fifth of the time that json takes.
    "msgspec>=0.19",
    "prometheus-client>=0.22",
    "psycopg[binary]>=3.2",
    "pydantic>=2.11",
    "pyotp>=2.9",
    "pyramid>=2.0.2",
    "pyramid-jinja2>=2.10",
    "pyramid-tm>=2.6",
    "pysaml2>=7.5.5,<8",
    "rich>=14",
    "segno>=1.6",
    # Pyramid 2.1 finds assets by setuptools' pkg_resources, which from 80.9 on complains to users at every start.
    "setuptools>=77,<80.9",
    "sqlalchemy>=2.1,<2.2",
    "structlog>=25.4",
    "transaction>=5",
    "waitress>=3.0.2",
]

# The editable install of the two commands builds without isolation, so that even the builder is a locked one.
BUILD = ["setuptools>=77"]

TEST = [
    # Coverage-guided fuzzing of the parsers (tests/fuzz).
    "atheris>=3.0,<3.1",
    "axe-playwright-python>=0.1",
    "beautifulsoup4>=4.13",
    "coverage[toml]>=7.10",
    "hypothesis>=6.140",
    "import-linter>=2.5",
    "lxml-stubs>=0.5.1",
    "mypy>=1.18",
    "playwright>=1.55",
    # Two other implementations, for the differential tests and the benchmarks.
    "pyff>=2.1",
    "pytest>=8.4",
    "pytest-cov>=7",
    "pytest-socket>=0.7",
    "pytest-xdist>=3.8",
    "python3-saml>=1.16",
    "ruff>=0.13",
    "scim2-tester>=0.5.2",
    "uv>=0.8",
    "webtest>=3.0.6",
    "xmlschema>=2.5",
    # How a host joins its own session to `request.tm` (tests/embedding).
    "zope-sqlalchemy>=3.1",
]

setup(
    name="saml-federation",
    version="0.1.0",
    description="SAML 2.0 single sign-on and SCIM 2.0 provisioning between the sites of an enterprise",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: Pyramid",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: System :: Systems Administration :: Authentication/Directory",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["federation", "federation.*", "idp_app", "idp_app.*", "sp_app", "sp_app.*"]),
    # What is no module but belongs to the packages: templates, styles, icons, migrations, demo people.
    package_data={
        "": [
            "py.typed",
            "templates/**/*",
            "static/**/*",
            "migrations/**/*",
            "demo/*",
            "**/*.json",
        ],
    },
    install_requires=RUN,
    extras_require={"build": BUILD, "test": TEST},
    entry_points={
        "paste.app_factory": ["idp = idp_app:main", "sp = sp_app.demo:main"],
        "console_scripts": ["federation = federation.cli.main:main"],
        "federation.commands": [
            "demo = federation.cli.demo:demo",
            "explain = federation.cli.explain:explain",
            "idp = idp_app.cli:idp",
            "metadata = federation.cli.metadata:metadata",
            "sp = sp_app.cli:sp",
        ],
    },
)
