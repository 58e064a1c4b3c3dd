"""What invokes functions without a client: EventBridge Scheduler, queues, and the event bus."""
