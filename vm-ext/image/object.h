// An object: a source after assembly, as asm/OBJECTS.md describes its file.
//
// Reading checks the file, its sections, symbols and instructions; its parts are checked by the linker, which goes
// through their bytes as often as it has to. Nothing is made of them, so that an object takes little more memory than
// its file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../isa/definitions.h"
#include "fields.h"

namespace comet {

// The linker's numbers are addresses and what is computed with them: 126 bits and a sign.
__extension__ using Wide = __int128;

class ObjectFields : public Fields {
 public:
  ObjectFields(std::span<const uint8_t> file, uint64_t offset, uint64_t length, std::string where);
  Wide take_integer();
  uint64_t take_below(uint64_t limit, const char* what);
  std::span<const uint8_t> take_blob(const char* what);
  std::string_view take_text(const char* what);
  [[noreturn]] void refuse(const char* what, uint64_t at) const;
  [[noreturn]] void refuse(const char* what) const { refuse(what, offset()); }
};

struct ObjectSection {
  std::string_view name;
  int protection;
  std::optional<uint64_t> address;
  uint64_t length;  // in memory
  std::span<const uint8_t> bytes;
};

struct ObjectSymbol {
  enum Binding : uint8_t { local, global, weak };
  std::string_view name;
  Binding binding;
  bool defined, hidden;
  uint64_t file, line, column;  // of its definition
};

struct Object {
  std::string name;  // as messages have it: a path, or lib.a(member.o)
  std::vector<uint8_t> file;
  std::vector<std::string_view> sources;
  std::vector<ObjectSection> sections;
  std::vector<ObjectSymbol> symbols;
  std::vector<isa::Definition> definitions;
  uint64_t parts_offset, parts_length;
};

// Fail with COMET_ERROR_FORMAT and the offset of what is wrong. Time and memory go with the length.
std::unique_ptr<Object> read_object(std::string_view name, const uint8_t* bytes, size_t length);
bool is_archive(const uint8_t* bytes, size_t length);
std::vector<std::unique_ptr<Object>> read_archive(std::string_view name, const uint8_t* bytes, size_t length);

}  // namespace comet
