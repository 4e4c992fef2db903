// The numbers of the image file format. README.md draws the whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace comet::format {

// As in PNG: a byte above 0x7f shows transfers of seven bits, the line ends show transfers in text mode,
// and 0x1a ends the output of `type` on old systems.
inline constexpr std::array<uint8_t, 8> magic{0x89, 'C', 'M', 'T', '\r', '\n', 0x1a, '\n'};

inline constexpr uint32_t version = 1;

inline constexpr size_t header_length = 24;       // magic, version, number of chunks, length of the file
inline constexpr size_t table_entry_length = 24;  // type, zero, offset, length
inline constexpr size_t checksum_length = 8;
inline constexpr size_t alignment = 8;  // of chunks and of the checksum

// A type is four ASCII letters, in the order of the file. A reader that does not know a type refuses the
// file when the first letter is upper case and passes the chunk over when it is lower case.
constexpr uint32_t chunk_type(const char (&letters)[5]) {
  return static_cast<uint32_t>(letters[0]) | static_cast<uint32_t>(letters[1]) << 8 |
         static_cast<uint32_t>(letters[2]) << 16 | static_cast<uint32_t>(letters[3]) << 24;
}

inline constexpr uint32_t entry_chunk = chunk_type("ENTR");
inline constexpr uint32_t sections_chunk = chunk_type("SECT");
inline constexpr uint32_t imports_chunk = chunk_type("IMPT");
inline constexpr uint32_t instructions_chunk = chunk_type("INST");
inline constexpr uint32_t symbols_chunk = chunk_type("symb");
inline constexpr uint32_t lines_chunk = chunk_type("line");
inline constexpr uint32_t expansions_chunk = chunk_type("expn");
inline constexpr uint32_t views_chunk = chunk_type("view");

// The shortest that a record of each kind can be: what a count is held against before it is believed.
inline constexpr size_t shortest_name = 2 + 1;
inline constexpr size_t shortest_section = 8 + 8 + 8 + 1 + shortest_name;
inline constexpr size_t shortest_symbol = 8 + shortest_name;
inline constexpr size_t line_length = 8 + 4 + 4 + 4;
inline constexpr size_t expansion_length = 8 + 4 + 4 + 4 + 4;

}  // namespace comet::format
