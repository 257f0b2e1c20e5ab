#!lua
-- Applies one batch to one book whole, or changes nothing and says why.
--
-- KEYS[1]  the book
-- ARGV     1 expected position   2 next position   3 ledger id   4 prefix of the positions' fields
--          5 number of counters   6 number of events credited   7 number of events taken for credited before
--          then the fields: the position's, the ledger id's, the window's, one per counter, one per event of either kind
--          then the values: one addend per counter, one text per event credited, one payload digest per other event
--
-- All that is written goes out in the one HSET at the end, as absolute values. With several writes, or with HINCRBY,
-- an append-only file that was torn in a crash counts some credits twice at the second restart after it (87 of 145
-- places to tear it; none of 68 with one HSET; Redis 7.0.15). The shebang has Redis refuse the whole script when it
-- is out of memory, before it began.

local book, expected, following, ledger_id, position_prefix = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local counters, events, repeats = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local fields = 3 + counters + events
local before_fields, before_values = 7, 7 + fields + repeats - 3

local found = redis.call('HMGET', book, unpack(ARGV, before_fields + 1, before_fields + fields + repeats))
local position, window = found[1], tonumber(found[3])
if not position or found[2] ~= ledger_id then return {'missing'} end
if position ~= expected then return {'moved', position} end

local next_offsets = {}
local function counts(event) -- as window.py has it
  if not window then return true end
  local log, offset = string.match(string.sub(event, 1, -10), '^(.*):(%d+)$')
  if not log then return true end
  if not next_offsets[log] then
    local text = redis.call('HMGET', book, position_prefix .. log)[1] or ''
    next_offsets[log] = tonumber(string.match(text, '^[^|]*|(%d+)|')) or 0
  end
  return next_offsets[log] - tonumber(offset) <= window
end

local known = {'known'}
for i = 4 + counters, fields do
  if found[i] and counts(found[i]) then known[#known + 1] = ARGV[before_fields + i] end
end
if known[2] then return known end
for i = 1 + fields, fields + repeats do
  local event = found[i]
  if not event or string.sub(event, -8) ~= ARGV[before_values + i] or not counts(event) then return {'forgotten'} end
end

local write = {ARGV[before_fields + 1], following}
for i = 4, 3 + counters do
  local held, addend = tonumber(found[i] or '0'), tonumber(ARGV[before_values + i])
  local total = held and addend and held + addend
  -- Numbers are doubles here: exact for integers below 2^53, and a sum that is larger stays larger when rounded.
  if not total or held % 1 ~= 0 or held < 0 or addend % 1 ~= 0 or total < 0 or total > 9007199254740991 then
    return {'range', ARGV[before_fields + i]}
  end
  write[2 * i - 5], write[2 * i - 4] = ARGV[before_fields + i], string.format('%.0f', total)
end
for i = 4 + counters, fields do
  write[2 * i - 5], write[2 * i - 4] = ARGV[before_fields + i], ARGV[before_values + i]
end
redis.call('HSET', book, unpack(write))
return {'committed'}
