"""The core of orthanc-share: everything that more than one service needs."""
