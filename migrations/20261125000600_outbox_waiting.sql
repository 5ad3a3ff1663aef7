-- What one webhook is called for next, without going through what was given up: that is older, and may be much.
create index outbox_webhook_waiting on outbox (((payload ->> 'webhook')::bigint), due_at, id)
    where kind = 'webhook' and state = 'waiting';
