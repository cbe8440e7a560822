"""The contacts that a rule is asked with: those made, those the books know, those reserved."""

from __future__ import annotations

from duly.service.untaken import UNTAKEN

#: Clocks differ between machines: what was up to an hour ahead of ours is a contact of now. What we
#: wrote down ourselves has happened, however far ahead the clock was by which it was dated.
CONTACTS = f"""
SELECT x.borrower_id, x.channel, x.address, least(x.at, %(at)s) AS at, x.direction, x.outcome,
    x.contact_class AS class, x.loan_id AS loan
FROM store_contact AS x
WHERE x.borrower_id = ANY(%(people)s) AND NOT {UNTAKEN} AND (x.at <= %(at)s + interval '1 hour'
    OR starts_with(x.contact_id, 'duly:') OR x.agency IS NOT NULL)
UNION ALL
SELECT c.borrower_id, c.channel, c.address, least(c.at, %(at)s), c.direction, c.outcome, c.class,
    c.loan_id
FROM store_book_contacts AS c
WHERE c.borrower_id = ANY(%(people)s) AND c.at <= %(at)s + interval '1 hour'
    AND NOT EXISTS (SELECT 1 FROM store_contact AS k WHERE k.contact_id = c.contact_id)
UNION ALL
SELECT r.borrower_id, m.channel, m.address, least(r.at, %(at)s), 'out', 'reserved',
    m.message_class, NULL
FROM store_reservation AS r JOIN store_message AS m ON m.message_id = r.message_id
WHERE r.borrower_id = ANY(%(people)s) AND m.state = 'claimed'
"""
