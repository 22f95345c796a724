#!/usr/bin/env python3
"""Django's command line for the network of central authorities."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.umask(0o077)  # what is written here, the embedded database first, is nobody else's to read
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "network.project.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"error: {error}")
