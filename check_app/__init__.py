"""What of an application will hurt on Lambda, said before anything is deployed: `make check-app`."""
