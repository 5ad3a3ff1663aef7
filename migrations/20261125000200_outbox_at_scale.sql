-- The outbox when much waits in it, or was done in the last month.

-- What is settled next, in its order, without sorting everything that waits.
create index outbox_settle on outbox (due_at, id) where state = 'waiting' and kind in ('event', 'job');
-- What one webhook is called for next: each has its own queue, so that one that hangs holds up no other.
create index outbox_webhook_open on outbox (((payload ->> 'webhook')::bigint), due_at, id)
    where kind = 'webhook' and state <> 'done';
-- The list of one kind, the newest first.
create index outbox_kind on outbox (kind, id);
