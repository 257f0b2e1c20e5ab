#!lua flags=allow-oom
-- Looks at some of a book's events and removes those that count as credited no more; see window.py.
--
-- KEYS[1]  the book
-- ARGV     1 field of the ledger id   2 ledger id   3 field of the window   4 prefix of the events' fields
--          5 prefix of the positions' fields   6 cursor   7 about how many fields to look at
--          8 a window to judge by instead, where nothing shall be removed; otherwise ''
--
-- Answers the next cursor, the number of events seen, and the number of those that count no more. All that is written
-- is one HDEL, bare in the append-only file: it may be torn, lost or repeated. A server that is out of memory runs
-- this too, since it makes room.

local book, ledger_id, events_prefix, positions_prefix, instead = KEYS[1], ARGV[2], ARGV[4], ARGV[5], ARGV[8]
local most = 4000 -- unpack fails above 8,000; a book of a few hundred fields always comes in one page

local stated = redis.call('HMGET', book, ARGV[1], ARGV[3])
if stated[1] ~= ledger_id then return {'missing'} end
local window = tonumber(instead == '' and stated[2] or instead)
if not window then return {'swept', '0', 0, 0} end

local page = redis.call('HSCAN', book, ARGV[6], 'MATCH', events_prefix .. '*', 'COUNT', ARGV[7])
local next_offsets, expired, found = {}, {}, page[2]
for i = 1, #found, 2 do
  local log, offset = string.match(string.sub(found[i + 1], 1, -10), '^(.*):(%d+)$')
  if log and not next_offsets[log] then
    local text = redis.call('HMGET', book, positions_prefix .. log)[1] or ''
    next_offsets[log] = tonumber(string.match(text, '^[^|]*|(%d+)|')) or 0
  end
  if log and next_offsets[log] - tonumber(offset) > window and #expired < most then expired[#expired + 1] = found[i] end
end
if instead == '' and expired[1] then redis.call('HDEL', book, unpack(expired)) end
return {'swept', page[1], #found / 2, #expired}
