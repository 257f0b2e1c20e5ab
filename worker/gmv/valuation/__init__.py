"""Pure: from distances to integer credits. No Kafka, Redis, asyncio, files or clock."""
