"""What the server does, without HTTP and without SQL: services are given plain values and call the store."""
