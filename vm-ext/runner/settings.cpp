#include "settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace comet::runner {
namespace {

constexpr std::string_view groups[] = {"exit",    "streams", "arguments", "memory", "files",
                                       "threads", "events",  "clock",     "random"};

std::string not_this(std::string_view value) { return ", not '" + std::string(value) + "'"; }

uint64_t number(std::string_view text, std::string_view suffixes = "") {
  std::string_view digits = text;
  unsigned shift = 0;
  if (!digits.empty() && suffixes.find(digits.back()) != suffixes.npos) {
    shift = 10 * static_cast<unsigned>(suffixes.find(digits.back()) + 1);
    digits.remove_suffix(1);
  }
  const bool hexadecimal = digits.starts_with("0x");
  if (hexadecimal) digits.remove_prefix(2);
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
  const bool too_large = error == std::errc::result_out_of_range || (value << shift) >> shift != value;
  if (digits.empty() || stop != end || error == std::errc::invalid_argument || too_large) {
    throw UsageError{std::string("takes a number") + (suffixes.empty() ? "" : ", with K, M or G behind it or not") +
                     (too_large ? " below 2^64" : "") + not_this(text)};
  }
  return value << shift;
}

uint64_t size(std::string_view text) { return number(text, "KMG"); }

uint64_t nanoseconds(std::string_view text) {
  double seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr double most = 1e9;  // some thirty years
  if (error != std::errc() || stop != text.data() + text.size() || !(seconds > 0) || seconds > most)
    throw UsageError{"takes a number of seconds above 0 and up to 1000000000" + not_this(text)};
  return static_cast<uint64_t>(std::ceil(seconds * 1e9));
}

uint32_t host_threads(std::string_view text) {
  constexpr uint64_t most = 1024;
  const uint64_t value = number(text);
  if (value == 0 || value > most) throw UsageError{"takes a number from 1 to 1024" + not_this(text)};
  return static_cast<uint32_t>(value);
}

GroupChange change(std::string_view group, bool allow) {
  if (std::find(std::begin(groups), std::end(groups), group) == std::end(groups)) {
    throw UsageError{"takes one of exit, streams, arguments, memory, files, threads, events, clock, random" + not_this(group)};
  }
  return {std::string(group), allow};
}

// An entry of the same name is replaced, where it stands.
void add_environment(Options& options, std::string_view entry) {
  const size_t equals = entry.find('=');
  if (equals == 0 || equals == entry.npos) throw UsageError{"takes NAME=VALUE" + not_this(entry)};
  const std::string_view name = entry.substr(0, equals + 1);
  for (std::string& before : options.environment) {
    if (before.starts_with(name)) {
      before = entry;
      return;
    }
  }
  options.environment.emplace_back(entry);
}

// DIR, DIR:NAME, DIR:ro or DIR:NAME:ro
Directory directory(std::string_view text) {
  Directory directory{std::string(text), "", false};
  if (text.ends_with(":ro")) {
    directory.read_only = true;
    directory.path.resize(text.size() - 3);
  }
  const size_t colon = directory.path.find(':');
  directory.name = colon == std::string::npos ? directory.path : directory.path.substr(colon + 1);
  directory.path.resize(std::min(colon, directory.path.size()));
  if (directory.path.empty() || directory.name.empty())
    throw UsageError{"takes DIR, DIR:NAME or one of them with :ro behind it" + not_this(text)};
  return directory;
}

// In the order of the manual page.
constexpr Setting all[] = {
    {"fuel", true, [](Options& o, std::string_view v) { o.fuel = number(v); }},
    {"time", true, [](Options& o, std::string_view v) { o.nanoseconds = nanoseconds(v); }},
    {"memory", true, [](Options& o, std::string_view v) { o.memory = size(v); }},
    {"call-depth", true, [](Options& o, std::string_view v) { o.call_depth = number(v); }},
    {"registers", true, [](Options& o, std::string_view v) { o.registers = number(v); }},
    {"output", true, [](Options& o, std::string_view v) { o.output = size(v); }},
    {"allow", true, [](Options& o, std::string_view v) { o.groups.push_back(change(v, true)); }},
    {"deny", true, [](Options& o, std::string_view v) { o.groups.push_back(change(v, false)); }},
    {"dir", true, [](Options& o, std::string_view v) { o.directories.push_back(directory(v)); }},
    {"env", true, add_environment},
    {"seed", true, [](Options& o, std::string_view v) { o.seed = number(v); }},
    {"turns", true, [](Options& o, std::string_view v) { o.turns = number(v); }},
    {"parallel", true, [](Options& o, std::string_view v) { o.host_threads = host_threads(v); }},
    {"no-confine", false, [](Options& o, std::string_view v) { o.confine = v != "yes"; }},
    {"with", true, [](Options& o, std::string_view v) { o.with.emplace_back(v); }},
    {"core", true, [](Options& o, std::string_view v) { o.core = v; }},
    {"record", true, [](Options& o, std::string_view v) { o.record = v; }},
    {"statistics", true, [](Options& o, std::string_view v) { o.statistics = v; }},
    {"hash", false, [](Options& o, std::string_view v) { o.hash = v == "yes"; }},
    {"quiet", false, [](Options& o, std::string_view v) { o.quiet = v == "yes"; }},
    {"verify", false, [](Options& o, std::string_view v) { o.verify = v == "yes"; }},
    {"json", false, [](Options& o, std::string_view v) { o.json = v == "yes"; }},
};

}  // namespace

std::span<const Setting> settings() { return all; }

}  // namespace comet::runner
