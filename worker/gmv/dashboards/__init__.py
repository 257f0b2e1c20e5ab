"""What an operator looks at: panels over Prometheus, drawn by Grafana and by `gmv report` alike."""
