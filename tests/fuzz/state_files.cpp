#include "state_files.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "allocations.h"
#include "damage.h"

namespace fuzz {
namespace {

constexpr std::size_t header_length = 16;
constexpr std::size_t record_overhead = 24;

struct place {
  std::size_t content;
  std::size_t length;
  std::size_t end;
};

// The records as far as their lengths make sense.
std::vector<place> records(const bytes& file) {
  std::vector<place> found;
  for (std::size_t at = header_length; at + record_overhead <= file.size();) {
    const std::uint64_t length = number_at(file, at + 8, 8);
    if (length > file.size() - at - record_overhead) break;
    const std::size_t end = at + record_overhead + (static_cast<std::size_t>(length) + 7) / 8 * 8;
    if (end > file.size()) break;
    found.push_back({at + 16, static_cast<std::size_t>(length), end});
    at = end;
  }
  return found;
}

void damage_record(bytes& file, random_source& random, const std::vector<bytes>& from) {
  const std::vector<place> all = records(file);
  if (all.empty()) return;
  const place record = all[random.below(all.size())];
  const auto begin = file.begin();
  const auto first = static_cast<std::ptrdiff_t>(record.content - 16), end = static_cast<std::ptrdiff_t>(record.end);
  switch (random.below(8)) {
    case 0: file.erase(begin + first, begin + end); break;
    case 1: {  // a record twice, or one of another file
      const bytes& other = from[random.below(from.size())];
      const std::vector<place> others = records(other);
      if (others.empty()) break;
      const place& taken = others[random.below(others.size())];
      const bytes copy(other.begin() + static_cast<std::ptrdiff_t>(taken.content - 16),
                       other.begin() + static_cast<std::ptrdiff_t>(taken.end));
      file.insert(begin + end, copy.begin(), copy.end());
      break;
    }
    case 2: {  // a record that is shorter or longer
      const std::size_t length = random.below(record.length + 40);
      bytes content(begin + first + 16, begin + first + 16 + static_cast<std::ptrdiff_t>(std::min(length, record.length)));
      content.resize(length, static_cast<std::uint8_t>(random.word()));
      content.resize((length + 7) / 8 * 8 + 8);
      put(file, record.content - 8, length, 8);
      file.erase(file.begin() + first + 16, file.begin() + end);
      file.insert(file.begin() + first + 16, content.begin(), content.end());
      break;
    }
    case 3: file.resize(record.end); break;
    default: {  // near the beginning of a record's content, where its numbers are
      const std::size_t near = record.content + random.below(std::min<std::size_t>(record.length + 1, 256));
      damage(file, std::min(random.one_in(3) ? random.below(file.size()) : near, file.size() - 1), random, from);
    }
  }
}

}  // namespace

state_hash hash_of(const comet_machine* machine) {
  state_hash found{};
  comet_error error = COMET_ERROR_INIT;
  require(comet_state_hash(machine, found.data(), &error) == COMET_OK, error.message);
  return found;
}

int append(void* data, const void* part, std::size_t length) {
  auto* to = static_cast<bytes*>(data);
  const auto* begin = static_cast<const std::uint8_t*>(part);
  to->insert(to->end(), begin, begin + length);
  return 0;
}

void seal_records(bytes& file) {
  if (file.size() < header_length) return;
  std::uint64_t checksum = XXH3_64bits(file.data(), header_length);
  for (const place& record : records(file)) {
    const std::size_t begin = record.content - 16;
    checksum = XXH3_64bits_withSeed(&file[begin], record.end - 8 - begin, checksum);
    put(file, record.end - 8, checksum, 8);
  }
}

bytes with_damaged_records(random_source& random, const std::vector<bytes>& from) {
  bytes file = from[random.below(from.size())];
  for (std::uint64_t changes = random.one_in(2) ? 1 : 1 + random.below(4); changes > 0; --changes)
    damage_record(file, random, from);
  if (!random.one_in(16)) seal_records(file);
  return file;
}

state_pointer read_state(const std::uint8_t* input, std::size_t length, const comet_state* base) {
  comet_state* read = nullptr;
  comet_error error = COMET_ERROR_INIT;
  comet_status status = COMET_OK;
  {
    const allocations taken;
    // At once, or from a stream that gives little at a time.
    struct {
      const std::uint8_t* next;
      std::size_t left;
    } stream{input, length};
    const comet_source give = [](void* data, void* to, std::size_t room) {
      auto& from = *static_cast<decltype(stream)*>(data);
      const std::size_t part = std::min({room, from.left, from.left % 1000 + 1});
      std::copy_n(from.next, part, static_cast<std::uint8_t*>(to));
      from.next += part;
      from.left -= part;
      return static_cast<std::int64_t>(part);
    };
    status = length % 2 == 0 ? comet_state_read(input, length, base, &read, &error)
                             : comet_state_read_from(give, &stream, length, base, &read, &error);
    require_modest(taken, length);
  }
  state_pointer state(read);
  if (status == COMET_OK) return state;
  if (status != COMET_ERROR_FORMAT && status != COMET_ERROR_STATE)
    throw broken_promise("a damaged file is refused, but with another status");
  if (error.address > length) throw broken_promise("the offset of an error lies behind the end of the file");
  if (error.message[0] == 0 || std::strchr(error.message, '\n') != nullptr) throw broken_promise("a bad message");
  return state;
}

}  // namespace fuzz
