-- The earlier comment on this column names a word that was never used.
comment on column rfc_thread_anchors.method is
    'How the place was found: selected, reattached, diff, quote, similar or none (domain::rfc::anchor::AnchorMethod).';
