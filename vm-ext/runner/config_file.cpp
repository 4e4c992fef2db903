#include "config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "settings.h"

namespace comet::runner {
namespace {

constexpr size_t longest_file = size_t{1} << 20;
constexpr std::string_view blanks = " \t\r";

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string read(const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  std::string text(longest_file + 1, '\0');
  const size_t length = file ? std::fread(text.data(), 1, text.size(), file.get()) : 0;
  if (!file || std::ferror(file.get())) throw UsageError{path + ": cannot be read: " + std::strerror(errno)};
  if (length > longest_file) throw UsageError{path + ": is longer than the 1 MiB that is read at most"};
  text.resize(length);
  return text;
}

// One line of a file. Columns count bytes from 1.
class Line {
 public:
  Line(const std::string& path, size_t number, std::string_view text) : path_(path), number_(number), text_(text) {}

  void take(Options& options) const {
    const size_t begin = text_.find_first_not_of(blanks);
    if (begin == text_.npos || text_[begin] == '#') return;
    if (const size_t nul = text_.find('\0'); nul != text_.npos) fail(nul, "a byte 0 cannot stand here");
    const size_t equals = text_.find('=', begin);
    const std::string_view name = trimmed(text_.substr(begin, equals == text_.npos ? equals : equals - begin));
    const auto known = settings();
    const auto setting = std::find_if(known.begin(), known.end(), [&](const Setting& one) { return name == one.name; });
    if (setting == known.end()) fail(begin, "there is no setting '" + std::string(name) + "'; --help names them");
    if (equals == text_.npos) fail(begin + name.size(), "here should be '=' and a value");
    const std::string_view value = trimmed(text_.substr(equals + 1));
    const size_t at = value.empty() ? equals + 1 : static_cast<size_t>(value.data() - text_.data());
    set(options, *setting, value, at);
  }

 private:
  static std::string_view trimmed(std::string_view text) {
    const size_t begin = text.find_first_not_of(blanks);
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
  }

  void set(Options& options, const Setting& setting, std::string_view value, size_t at) const {
    if (value.empty()) fail(at, std::string(setting.name) + " needs a value");
    if (!setting.takes_value && value != "yes" && value != "no")
      fail(at, std::string(setting.name) + " takes yes or no, not '" + std::string(value) + "'");
    try {
      setting.take(options, value);
    } catch (const UsageError& error) {
      fail(at, std::string(setting.name) + " " + error.message);
    }
  }

  [[noreturn]] void fail(size_t at, const std::string& message) const {
    throw UsageError{path_ + ":" + std::to_string(number_) + ":" + std::to_string(at + 1) + ": " + message};
  }

  const std::string& path_;
  size_t number_;
  std::string_view text_;
};

}  // namespace

void read_config(const std::string& path, Options& options) {
  const std::string text = read(path);
  std::string_view left = text;
  for (size_t number = 1; !left.empty(); ++number) {
    const size_t end = std::min(left.find('\n'), left.size());
    Line(path, number, left.substr(0, end)).take(options);
    left.remove_prefix(std::min(end + 1, left.size()));
  }
}

}  // namespace comet::runner
