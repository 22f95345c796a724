"""All lies."""

from tests.lying import file_lies, keyring_lies, lies, member_lies

ATTEMPTS = (*lies.ATTEMPTS, *keyring_lies.ATTEMPTS, *member_lies.ATTEMPTS, *file_lies.ATTEMPTS)
