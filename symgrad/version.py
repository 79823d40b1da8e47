"""The version, which every generated module records."""

VERSION = "0.1.0"
