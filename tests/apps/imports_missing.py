"""An application which imports something that is not installed."""

import a_package_which_is_not_installed  # type: ignore[import-not-found]

app = a_package_which_is_not_installed.app
