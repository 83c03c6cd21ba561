"""suite: all services in one process, and the `orthanc-share` command line."""
