"""The commands of `orthanc-share` that manage a site: shares, audit, keys, doctor."""
