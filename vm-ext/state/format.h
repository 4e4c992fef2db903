// The numbers of the state file format. README.md draws the whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace comet::state_format {

// As that of images, with another letter.
inline constexpr std::array<uint8_t, 8> magic{0x89, 'C', 'M', 'S', '\r', '\n', 0x1a, '\n'};
inline constexpr uint32_t version = 1;

enum Kind : uint32_t { kind_state = 1, kind_recording = 2 };

inline constexpr size_t header_length = 16;         // magic, version, kind
inline constexpr size_t record_header_length = 16;  // type, zero, length
inline constexpr size_t checksum_length = 8;
inline constexpr size_t alignment = 8;

// As in images: a reader that does not know a type passes over the record when the first letter is lower
// case.
constexpr uint32_t record_type(const char (&letters)[5]) {
  return static_cast<uint32_t>(letters[0]) | static_cast<uint32_t>(letters[1]) << 8 |
         static_cast<uint32_t>(letters[2]) << 16 | static_cast<uint32_t>(letters[3]) << 24;
}

inline constexpr uint32_t machine_record = record_type("MACH");
inline constexpr uint32_t imports_record = record_type("IMPT");
inline constexpr uint32_t instructions_record = record_type("INST");
inline constexpr uint32_t arguments_record = record_type("ARGS");
inline constexpr uint32_t environment_record = record_type("ENVI");
inline constexpr uint32_t thread_record = record_type("THRD");
inline constexpr uint32_t status_record = record_type("STAT");
inline constexpr uint32_t schedule_record = record_type("TURN");
inline constexpr uint32_t space_record = record_type("SPAC");
inline constexpr uint32_t pages_record = record_type("PAGE");
inline constexpr uint32_t joined_record = record_type("JOIN");
inline constexpr uint32_t image_record = record_type("imag");
inline constexpr uint32_t files_record = record_type("file");
inline constexpr uint32_t done_record = record_type("DONE");
inline constexpr uint32_t call_record = record_type("CALL");
inline constexpr uint32_t tick_record = record_type("TICK");
inline constexpr uint32_t lost_record = record_type("LOST");
inline constexpr uint32_t stop_record = record_type("STOP");

// Entries of a record of pages.
enum PageKind : uint8_t { pages_zero = 0, page_stored = 1, pages_of_base = 2 };

// Of a stored page, the pieces that are not all zero are there.
inline constexpr size_t piece_length = 1024;

// The shortest that each can be: what a count is held against before it is believed.
inline constexpr size_t shortest_import = 1 + 2 + 1;
inline constexpr size_t shortest_argument = 4;
inline constexpr size_t call_length = 24;
inline constexpr size_t page_entry_length = 24;
inline constexpr size_t joined_page_length = 16;
inline constexpr size_t shortest_change = 5;
inline constexpr size_t shortest_directory = 2 + 1;
inline constexpr size_t shortest_file = 4 + 4 + 1 + 4 + 1 + 8 + 2;

// A machine with more of them cannot be saved.
inline constexpr size_t most_threads = 1024;
inline constexpr size_t most_spaces = 1024;

}  // namespace comet::state_format
