"""The changes of the schema, in order; run by `orthanc_share.store.migrating`."""
