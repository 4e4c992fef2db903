// Objects for tests, made byte by byte from asm/OBJECTS.md.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "../../vm-ext/comet.h"

namespace objects_by_hand {

using Piece = std::string;

// Bytes, and numbers below 128 as one byte.
inline Piece of(std::initializer_list<int> numbers) {
  Piece piece;
  for (const int number : numbers) piece += static_cast<char>(number);
  return piece;
}
inline Piece text(std::string_view characters) { return of({static_cast<int>(characters.size())}) + Piece(characters); }
inline Piece leb(std::uint64_t value) {
  Piece piece;
  for (; value >= 128; value >>= 7) piece += static_cast<char>((value & 127) | 128);
  return piece + static_cast<char>(value);
}
inline Piece little(std::uint64_t value, unsigned size) {
  Piece piece;
  for (unsigned i = 0; i < size; ++i, value >>= 8) piece += static_cast<char>(value & 255);
  return piece;
}

// The chunks of an object, those that are usual unless a test wants others.
struct Chunks {
  Piece files = of({1}) + text("x.s");
  Piece sections = of({1}) + text(".text") + of({5, 0, 4, 4, 1, 1, 1, 1});  // four nops
  Piece symbols = of({0});
  Piece definitions = of({0});
  Piece parts{};
};

inline Piece sealed(Piece file) { return file + little(comet_checksum(file.data(), file.size()), 8); }

inline Piece object(const Chunks& chunks) {
  const std::pair<const char*, const Piece*> all[] = {{"FILE", &chunks.files}, {"SECT", &chunks.sections},
                                                      {"SYMB", &chunks.symbols}, {"DEFN", &chunks.definitions},
                                                      {"PART", &chunks.parts}};
  Piece table, content;
  for (const auto& [type, bytes] : all) {
    table += type + little(0, 4) + little(24 + 5 * 24 + content.size(), 8) + little(bytes->size(), 8);
    content += *bytes + Piece((8 - bytes->size() % 8) % 8, '\0');
  }
  const Piece begin = Piece("\x89" "CMO\r\n\x1a\n") + little(1, 4) + little(5, 4);
  return sealed(begin + little(begin.size() + 8 + table.size() + content.size() + 8, 8) + table + content);
}

inline Piece archive(std::initializer_list<std::pair<Piece, Piece>> members) {
  Piece file = "!<arch>\n";
  for (const auto& [name, bytes] : members) {
    Piece header = name + Piece(16 - name.size(), ' ') + Piece(32, ' ') + std::to_string(bytes.size());
    header.resize(58, ' ');
    file += header + "`\n" + bytes + (bytes.size() % 2 != 0 ? "\n" : "");
  }
  return file;
}

// Symbols: name, flags, and file, line and column of those that are defined.
inline Piece defined(std::string_view name, int flags, int line = 1) { return text(name) + of({flags, 0, line, 1}); }
inline Piece needed(std::string_view name, int binding = 1) { return text(name) + of({binding}); }
enum { local = 4, global = 5, weak = 6, hidden = 12 };

inline const Piece statement = of({1, 0, 0, 2, 1, 1});  // x.s:1:1, a line of code
inline Piece label(int symbol, int advance = 0) { return of({2, advance, symbol}); }
// `jump` to a symbol, with a stand-in of two bytes.
inline Piece jump_to(int symbol) { return of({4, 0, 2, 1, 5, 10, 1, symbol}); }
// A directive with operands at x.s:1:1, standing for nothing.
inline Piece directive(int number, std::initializer_list<Piece> operands) {
  Piece piece = of({5, 0, 0, 1, 1, number, static_cast<int>(operands.size())});
  for (const Piece& operand : operands) piece += operand;
  return piece;
}
inline Piece integer(std::int64_t value) {
  return of({0}) + leb(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}
inline Piece symbol(int number) { return of({1, number}); }
inline Piece operation(int number, const Piece& x, const Piece& y = "") { return of({16 + number}) + x + y; }

inline const Chunks calls{.sections = of({1}) + text(".text") + of({5, 0, 2, 2, 0, 0}),
                   .symbols = of({2}) + defined("_start", global) + needed("f"),
                   .parts = statement + label(0) + jump_to(1)};
inline const Chunks defines{.symbols = of({1}) + defined("f", global), .parts = statement + label(0, 1)};

} // namespace objects_by_hand
