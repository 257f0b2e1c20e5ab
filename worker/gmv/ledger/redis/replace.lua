#!lua
-- Keeps a text in one field of a book if the field still holds what the caller saw there; '' means nothing.
--
-- KEYS[1]  the book
-- ARGV     1 field of the ledger id   2 ledger id   3 field   4 expected text   5 text

local found = redis.call('HMGET', KEYS[1], ARGV[1], ARGV[3])
if found[1] ~= ARGV[2] then return 'missing' end
local held = found[2] or ''
if held == ARGV[5] then return 'replaced' end -- by our own earlier call, whose reply was lost
if held ~= ARGV[4] then return 'taken' end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[5])
return 'replaced'
