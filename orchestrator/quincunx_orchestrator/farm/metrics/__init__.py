"""What a farm tells those who watch it: read in Redis, written for Prometheus and for KEDA."""
