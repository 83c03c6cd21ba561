-- Sends requests byte for byte as a file holds them.
--
-- Arguments: the file with the request, a file with one token a line or "-", and the
-- number of the first token to use. Each "{TOKEN}" of the request stands for a token.
-- The last line of the output is the result as JSON.

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function split(text, mark)
  local parts, from = {}, 1
  while true do
    local first, last = text:find(mark, from, true)
    if not first then
      parts[#parts + 1] = text:sub(from)
      return parts
    end
    parts[#parts + 1] = text:sub(from, first - 1)
    from = last + 1
  end
end

function init(args)
  local raw = read(args[1])
  if args[2] == "-" then
    -- One request for all: wrk asks for it once, and not for each again.
    wrk.format = function() return raw end
    return
  end
  local parts = split(raw, "{TOKEN}")
  local tokens = split(read(args[2]), "\n")
  local number = tonumber(args[3])
  function request()
    number = number % #tokens + 1
    return table.concat(parts, tokens[number])
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
