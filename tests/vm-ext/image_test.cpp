// The image file format, through the C API: what is written is read back; whatever a file gets wrong is
// refused with the offset of the mistake; damaged files never do anything else than that.
//
// The files that are wrong on purpose are made here byte by byte from the description in
// vm-ext/image/README.md, not by the library's own writer.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../../vm-ext/comet.h"

namespace {

using Bytes = std::vector<uint8_t>;

struct Free {
  void operator()(comet_image* image) const { comet_image_free(image); }
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};
using Image = std::unique_ptr<comet_image, Free>;
using Machine = std::unique_ptr<comet_machine, Free>;

Image new_image() {
  comet_image* image = nullptr;
  BOOST_REQUIRE_EQUAL(comet_image_new(&image, nullptr), COMET_OK);
  return Image(image);
}

Machine new_machine(const comet_config* config = nullptr) {
  comet_machine* machine = nullptr;
  BOOST_REQUIRE_EQUAL(comet_machine_new(config, &machine, nullptr), COMET_OK);
  return Machine(machine);
}

Bytes written(const Image& image) {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  BOOST_REQUIRE_EQUAL(comet_image_write(image.get(), &bytes, &length, nullptr), COMET_OK);
  return Bytes(bytes, bytes + length);
}

struct Result {
  comet_status status;
  uint64_t offset;
  std::string message;
  Image image;
};

Result read(const Bytes& file) {
  comet_image* image = nullptr;
  comet_error error = COMET_ERROR_INIT;
  const comet_status status = comet_image_read(file.data(), file.size(), &image, &error);
  return {status, error.address, error.message, Image(image)};
}

void check_refused(const Bytes& file, uint64_t offset, std::string_view words) {
  const Result result = read(file);
  BOOST_CHECK_EQUAL(result.status, COMET_ERROR_FORMAT);
  BOOST_CHECK(result.image == nullptr);
  BOOST_CHECK_EQUAL(result.offset, offset);
  BOOST_CHECK_MESSAGE(result.message.find(words) != std::string::npos,
                      "expected \"" << words << "\" in: " << result.message);
}

// ---- files made by hand ----------------------------------------------------------------------------

void put(Bytes& bytes, uint64_t value, size_t length) {
  for (size_t i = 0; i < length; ++i, value >>= 8) bytes.push_back(static_cast<uint8_t>(value));
}

void put_at(Bytes& bytes, size_t offset, uint64_t value, size_t length) {
  for (size_t i = 0; i < length; ++i, value >>= 8) bytes[offset + i] = static_cast<uint8_t>(value);
}

void put_name(Bytes& bytes, std::string_view name) {
  put(bytes, name.size(), 2);
  bytes.insert(bytes.end(), name.begin(), name.end());
}

void fix_checksum(Bytes& file) {
  if (file.size() >= 8) put_at(file, file.size() - 8, XXH3_64bits(file.data(), file.size() - 8), 8);
}

struct Chunk {
  std::string type;
  Bytes content;
};

constexpr size_t header = 24;
constexpr size_t table_entry = 24;

Bytes make_file(const std::vector<Chunk>& chunks) {
  Bytes file{0x89, 'C', 'M', 'T', '\r', '\n', 0x1a, '\n'};
  put(file, 1, 4);
  put(file, chunks.size(), 4);
  put(file, 0, 8);
  Bytes contents;
  const size_t first = header + chunks.size() * table_entry;
  for (const Chunk& chunk : chunks) {
    file.insert(file.end(), chunk.type.begin(), chunk.type.end());
    put(file, 0, 4);
    put(file, first + contents.size(), 8);
    put(file, chunk.content.size(), 8);
    contents.insert(contents.end(), chunk.content.begin(), chunk.content.end());
    while (contents.size() % 8 != 0) contents.push_back(0);
  }
  file.insert(file.end(), contents.begin(), contents.end());
  put(file, 0, 8);
  put_at(file, 16, file.size(), 8);
  fix_checksum(file);
  return file;
}

Bytes numbers(std::initializer_list<std::pair<uint64_t, size_t>> fields) {
  Bytes bytes;
  for (const auto& [value, length] : fields) put(bytes, value, length);
  return bytes;
}

Chunk entry_chunk(uint64_t entry = 0x10000) { return {"ENTR", numbers({{entry, 8}})}; }

struct RawSection {
  uint64_t address;
  uint64_t memory_length;
  uint64_t length;
  uint8_t protection;
  std::string name;
  Bytes bytes;
};

Chunk sections_chunk(const std::vector<RawSection>& sections) {
  Bytes content = numbers({{sections.size(), 4}});
  for (const RawSection& section : sections) {
    put(content, section.address, 8);
    put(content, section.memory_length, 8);
    put(content, section.length, 8);
    put(content, section.protection, 1);
    put_name(content, section.name);
    content.insert(content.end(), section.bytes.begin(), section.bytes.end());
  }
  return {"SECT", content};
}

// Where the first record of the second chunk begins in a file of the chunks ENTR, SECT and `more` others.
constexpr size_t second_chunk(size_t more = 0) { return header + (2 + more) * table_entry + 8; }

Bytes file_of_sections(const std::vector<RawSection>& sections) {
  return make_file({entry_chunk(), sections_chunk(sections)});
}

// A file with the chunks ENTR, SECT (no section) and one more; `third` is where that begins.
constexpr size_t third = second_chunk(1) + 8;
Bytes file_with(const std::string& type, const Bytes& content) {
  return make_file({entry_chunk(), sections_chunk({}), {type, content}});
}

Image sample() {
  Image image = new_image();
  const uint8_t code[] = {3, 1, 42, 127};
  const uint8_t text[] = {'h', 'i'};
  BOOST_REQUIRE_EQUAL(comet_image_add_section(image.get(), ".text", 0x10000, code, sizeof code, sizeof code,
                                              COMET_READ | COMET_EXECUTE, nullptr),
                      COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_section(image.get(), ".data", 0x20000, text, sizeof text, 100000,
                                              COMET_READ | COMET_WRITE, nullptr),
                      COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_symbol(image.get(), "message", 0x20000, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_symbol(image.get(), "_start", 0x10000, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_symbol(image.get(), "größe", 0x10003, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_line(image.get(), 0x10003, "a.s", 3, 5, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_line(image.get(), 0x10000, "b.s", 1, 0, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_expansion(image.get(), 0x10001, "loop", "b.s", 7, 9, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_expansion(image.get(), 0x10001, "step", "b.s", 4, 0, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_view(image.get(), "message", "(string 2)", nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_view(image.get(), "node", "(record (next (pointer node)))", nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_import(image.get(), "write", nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_import(image.get(), "exit", nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_set_entry(image.get(), 0x10000, nullptr), COMET_OK);
  return image;
}

void check_sample(const comet_image* image) {
  comet_section section = COMET_SECTION_INIT;
  BOOST_REQUIRE_EQUAL(comet_image_section(image, 1, &section, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(section.name, ".data");
  BOOST_CHECK_EQUAL(section.address, 0x20000u);
  BOOST_CHECK_EQUAL(section.length, 2u);
  BOOST_CHECK_EQUAL(section.memory_length, 100000u);
  BOOST_CHECK_EQUAL(section.protection, COMET_READ | COMET_WRITE);
  BOOST_CHECK_EQUAL(section.bytes[1], 'i');
  BOOST_CHECK_EQUAL(comet_image_section(image, 2, &section, nullptr), COMET_ERROR_ARGUMENT);

  comet_symbol symbol = COMET_SYMBOL_INIT;
  BOOST_REQUIRE_EQUAL(comet_image_symbol(image, 1, &symbol, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(symbol.name, "größe");
  BOOST_CHECK_EQUAL(comet_image_symbol(image, 3, &symbol, nullptr), COMET_ERROR_ARGUMENT);
  BOOST_REQUIRE_EQUAL(comet_image_find_symbol(image, "message", &symbol, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(symbol.value, 0x20000u);
  BOOST_CHECK_EQUAL(comet_image_find_symbol(image, "messag", &symbol, nullptr), COMET_ERROR_ADDRESS);
  BOOST_REQUIRE_EQUAL(comet_image_symbol_at(image, 0x10002, &symbol, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(symbol.name, "_start");
  BOOST_REQUIRE_EQUAL(comet_image_symbol_at(image, 0x20000 + 99999, &symbol, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(symbol.name, "message");
  BOOST_CHECK_EQUAL(comet_image_symbol_at(image, 0x20000 + 100000, &symbol, nullptr), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(comet_image_symbol_at(image, 0x10004, &symbol, nullptr), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(comet_image_symbol_at(image, 0xffff, &symbol, nullptr), COMET_ERROR_ADDRESS);

  comet_line line = COMET_LINE_INIT;
  BOOST_REQUIRE_EQUAL(comet_image_line(image, 0, &line, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(line.file, "b.s");
  BOOST_REQUIRE_EQUAL(comet_image_line_at(image, 0x10003, &line, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(line.file, "a.s");
  BOOST_CHECK_EQUAL(line.line, 3u);
  BOOST_CHECK_EQUAL(line.column, 5u);
  BOOST_CHECK_EQUAL(comet_image_line_at(image, 0x20000, &line, nullptr), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(comet_image_line(image, 2, &line, nullptr), COMET_ERROR_ARGUMENT);

  comet_expansion expansion = COMET_EXPANSION_INIT;
  BOOST_REQUIRE_EQUAL(comet_image_expansion(image, 1, &expansion, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(expansion.macro, "step");
  BOOST_CHECK_EQUAL(comet_image_expansion(image, 2, &expansion, nullptr), COMET_ERROR_ARGUMENT);
  // From its address to the next line, inside its section.
  BOOST_CHECK_EQUAL(comet_image_expansion_at(image, 0x10000, 0, &expansion, nullptr), COMET_ERROR_ADDRESS);
  BOOST_REQUIRE_EQUAL(comet_image_expansion_at(image, 0x10002, 0, &expansion, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(expansion.address, 0x10001u);
  BOOST_CHECK_EQUAL(expansion.macro, "loop");
  BOOST_CHECK_EQUAL(expansion.file, "b.s");
  BOOST_CHECK_EQUAL(expansion.line, 7u);
  BOOST_CHECK_EQUAL(expansion.column, 9u);
  BOOST_REQUIRE_EQUAL(comet_image_expansion_at(image, 0x10002, 1, &expansion, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(expansion.line, 4u);
  BOOST_CHECK_EQUAL(comet_image_expansion_at(image, 0x10002, 2, &expansion, nullptr), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(comet_image_expansion_at(image, 0x10003, 0, &expansion, nullptr), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(comet_image_expansion_at(image, 0x20000, 0, &expansion, nullptr), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(comet_image_expansion_at(image, 0x30000, 0, &expansion, nullptr), COMET_ERROR_ADDRESS);

  comet_view view = COMET_VIEW_INIT;
  BOOST_REQUIRE_EQUAL(comet_image_view(image, 1, &view, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(view.name, "node");
  BOOST_CHECK_EQUAL(view.description, "(record (next (pointer node)))");
  BOOST_CHECK_EQUAL(comet_image_view(image, 2, &view, nullptr), COMET_ERROR_ARGUMENT);

  BOOST_CHECK_EQUAL(comet_image_import(image, 0), "write");
  BOOST_CHECK_EQUAL(comet_image_import(image, 1), "exit");
  BOOST_CHECK(comet_image_import(image, 2) == nullptr);
  BOOST_CHECK_EQUAL(comet_image_entry(image), 0x10000u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(image)

BOOST_AUTO_TEST_CASE(what_is_built_can_be_asked_for) { check_sample(sample().get()); }

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  const Bytes file = written(sample());
  Result result = read(file);
  BOOST_REQUIRE_EQUAL(result.status, COMET_OK);
  check_sample(result.image.get());
  BOOST_CHECK(written(result.image) == file);
}

BOOST_AUTO_TEST_CASE(an_empty_image_is_read_back) {
  const Result result = read(written(new_image()));
  BOOST_REQUIRE_EQUAL(result.status, COMET_OK);
  BOOST_CHECK_EQUAL(comet_image_entry(result.image.get()), 0u);
}

BOOST_AUTO_TEST_CASE(equal_content_gives_equal_bytes_whatever_the_order_of_symbols_and_lines) {
  const std::vector<std::pair<std::string, uint64_t>> symbols{{"a", 3}, {"b", 1}, {"c", 1}, {"d", 2}};
  const std::vector<std::pair<uint64_t, std::string>> lines{{8, "x.s"}, {0, "y.s"}, {4, "x.s"}, {6, "z.s"}};
  std::vector<size_t> order{0, 1, 2, 3};
  Bytes first;
  do {
    const Image image = new_image();
    for (const size_t i : order) {
      comet_image_add_symbol(image.get(), symbols[i].first.c_str(), symbols[i].second, nullptr);
      comet_image_add_line(image.get(), lines[i].first, lines[i].second.c_str(), 1, 1, nullptr);
    }
    const Bytes file = written(image);
    if (first.empty()) first = file;
    BOOST_CHECK(file == first);
  } while (std::next_permutation(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(many_symbols_are_in_order_however_they_came) {
  Bytes first;
  for (const bool falling : {false, true}) {
    const Image image = new_image();
    for (int n = 0; n < 60; ++n) {
      const int number = falling ? 59 - n : n;
      comet_image_add_symbol(image.get(), ("s" + std::to_string(number * 7 % 60)).c_str(), static_cast<uint64_t>(number), nullptr);
    }
    const Bytes file = written(image);
    if (first.empty()) first = file;
    BOOST_CHECK(file == first);
  }
  const std::string long_name(65536, 'n');
  BOOST_CHECK_EQUAL(comet_image_add_symbol(new_image().get(), long_name.c_str(), 0, nullptr), COMET_ERROR_ARGUMENT);
}

// The values are those that `xxhsum -H3` gives for files of these bytes: one for each way of the algorithm.
BOOST_AUTO_TEST_CASE(the_checksum_is_xxh3_of_64_bits) {
  BOOST_CHECK_EQUAL(comet_checksum(nullptr, 0), 0x2d06800538d394c2u);
  BOOST_CHECK_EQUAL(comet_checksum("", 0), 0x2d06800538d394c2u);
  BOOST_CHECK_EQUAL(comet_checksum("a", 1), 0xe6c632b61e964e1fu);
  const std::string fox = "The quick brown fox jumps over the lazy dog";
  BOOST_CHECK_EQUAL(comet_checksum(fox.data(), fox.size()), 0xce7d19a5418fb365u);
  Bytes many(1000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<uint8_t>(i % 128);
  BOOST_CHECK_EQUAL(comet_checksum(many.data(), many.size()), 0x03cd4939ef708f66u);
  many[999] ^= 1;
  BOOST_CHECK_NE(comet_checksum(many.data(), many.size()), 0x03cd4939ef708f66u);
}

BOOST_AUTO_TEST_CASE(the_bytes_are_those_of_the_description) {
  const Image image = new_image();
  const uint8_t code[] = {127};
  comet_image_add_section(image.get(), "t", 0x10000, code, 1, 1, 5, nullptr);
  comet_image_add_symbol(image.get(), "s", 0x10000, nullptr);
  comet_image_add_line(image.get(), 0x10000, "f", 7, 9, nullptr);
  comet_image_add_import(image.get(), "exit", nullptr);
  comet_image_set_entry(image.get(), 0x10000, nullptr);
  Bytes imports = numbers({{1, 4}});
  put_name(imports, "exit");
  Bytes symbols = numbers({{1, 4}, {0x10000, 8}});
  put_name(symbols, "s");
  Bytes lines = numbers({{1, 4}});
  put_name(lines, "f");
  const Bytes entry = numbers({{1, 4}, {0x10000, 8}, {0, 4}, {7, 4}, {9, 4}});
  lines.insert(lines.end(), entry.begin(), entry.end());
  const Bytes expected = make_file({entry_chunk(),
                                    {"IMPT", imports},
                                    sections_chunk({{0x10000, 1, 1, 5, "t", {127}}}),
                                    {"symb", symbols},
                                    {"line", lines}});
  BOOST_CHECK(written(image) == expected);
}

BOOST_AUTO_TEST_CASE(of_two_lines_for_an_address_the_later_counts) {
  for (const bool in_order : {true, false}) {
    const Image image = new_image();
    const uint8_t code[] = {127, 127};
    comet_image_add_section(image.get(), "t", 0, code, 2, 2, 5, nullptr);
    if (!in_order) comet_image_add_line(image.get(), 1, "f", 5, 0, nullptr);
    comet_image_add_line(image.get(), 0, "f", 1, 0, nullptr);
    comet_image_add_line(image.get(), 0, "f", 2, 0, nullptr);
    comet_line line = COMET_LINE_INIT;
    BOOST_REQUIRE_EQUAL(comet_image_line_at(image.get(), 0, &line, nullptr), COMET_OK);
    BOOST_CHECK_EQUAL(line.line, 2u);
  }
}

// A section knows nothing of what is said about the one before it, and what lies in none is not known at all.
BOOST_AUTO_TEST_CASE(what_is_known_of_an_address_is_of_its_section) {
  const Image image = new_image();
  const uint8_t nops[] = {1, 1, 1, 1};
  for (const uint64_t address : {0x10000, 0x30000})
    BOOST_REQUIRE_EQUAL(comet_image_add_section(image.get(), address == 0x10000 ? "one" : "two", address, nops, 4, 4, COMET_READ, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_symbol(image.get(), "there", 0x10001, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_add_expansion(image.get(), 0x10001, "macro", "x.s", 1, 1, nullptr), COMET_OK);
  const auto known = [&](uint64_t address) {
    comet_symbol symbol = COMET_SYMBOL_INIT;
    comet_line line = COMET_LINE_INIT;
    comet_expansion expansion = COMET_EXPANSION_INIT;
    return (comet_image_symbol_at(image.get(), address, &symbol, nullptr) == COMET_OK ? 1 : 0) +
           (comet_image_line_at(image.get(), address, &line, nullptr) == COMET_OK ? 2 : 0) +
           (comet_image_expansion_at(image.get(), address, 0, &expansion, nullptr) == COMET_OK ? 4 : 0);
  };
  for (const auto& [address, what] : {std::pair{0x10000, 0}, {0x10001, 5}, {0x10003, 5}, {0x10004, 0}, {0x30000, 0}, {0x50000, 0}})
    BOOST_CHECK_EQUAL(known(static_cast<uint64_t>(address)), what);
  BOOST_REQUIRE_EQUAL(comet_image_add_line(image.get(), 0x10002, "x.s", 2, 1, nullptr), COMET_OK);
  for (const auto& [address, what] : {std::pair{0x10001, 5}, {0x10002, 3}, {0x30000, 0}, {0x50000, 0}})
    BOOST_CHECK_EQUAL(known(static_cast<uint64_t>(address)), what);
}

BOOST_AUTO_TEST_CASE(pointers_stay_valid_while_the_image_grows) {
  const Image image = sample();
  const uint8_t* first_bytes = nullptr;
  const uint8_t* same_bytes = nullptr;
  size_t length = 0;
  comet_image_write(image.get(), &first_bytes, &length, nullptr);
  comet_image_write(image.get(), &same_bytes, &length, nullptr);
  BOOST_CHECK(first_bytes == same_bytes);
  const Bytes copy(first_bytes, first_bytes + length);
  comet_symbol symbol = COMET_SYMBOL_INIT;
  comet_section section = COMET_SECTION_INIT;
  comet_image_symbol(image.get(), 0, &symbol, nullptr);
  comet_image_section(image.get(), 0, &section, nullptr);
  for (int i = 0; i < 1000; ++i) {
    comet_image_add_symbol(image.get(), ("s" + std::to_string(i)).c_str(), 5, nullptr);
    comet_image_add_section(image.get(), "more", 0x1000000 + static_cast<uint64_t>(i), "x", 1, 1, 0, nullptr);
  }
  BOOST_CHECK(written(image) != copy);
  BOOST_CHECK(std::equal(copy.begin(), copy.end(), first_bytes));
  BOOST_CHECK_EQUAL(symbol.name, "_start");
  BOOST_CHECK_EQUAL(section.name, ".text");
}

BOOST_AUTO_TEST_CASE(what_would_make_an_image_invalid_is_refused_when_it_is_added) {
  const Image image = sample();
  const Bytes before = written(image);
  comet_error error = COMET_ERROR_INIT;
  const auto section = [&](const char* name, uint64_t address, uint64_t memory_length, int protection) {
    error.message[0] = 0;
    return comet_image_add_section(image.get(), name, address, "x", 1, memory_length, protection, &error);
  };
  const auto says = [&](std::string_view words) {
    return std::string_view(error.message).find(words) != std::string_view::npos;
  };
  BOOST_CHECK_EQUAL(section("over", 0x10003, 1, 5), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("overlap at address 0x10003"));
  BOOST_CHECK_EQUAL(section("under", 0xffff, 2, 5), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("overlap at address 0x10000"));
  BOOST_CHECK_EQUAL(section("page", 0x10004, 1, 3), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("share the page at 0x10000"));
  BOOST_CHECK_EQUAL(section("wraps", UINT64_MAX, 2, 3), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("beyond the end of the address space"));
  BOOST_CHECK_EQUAL(section("short", 0x90000, 0, 3), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("at least as large"));
  BOOST_CHECK_EQUAL(section("protected", 0x90000, 1, 8), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("protection 8"));
  BOOST_CHECK_EQUAL(section("", 0x90000, 1, 3), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("a section needs a name"));
  BOOST_CHECK_EQUAL(section("a\nb", 0x90000, 1, 3), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("\"a\\x0ab\" is not valid"));
  BOOST_CHECK_EQUAL(comet_image_add_symbol(image.get(), "_start", 5, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("in the image already, with value 0x10000"));
  BOOST_CHECK_EQUAL(comet_image_add_line(image.get(), 0, "a.s", 0, 0, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("lines count from 1"));
  BOOST_CHECK_EQUAL(comet_image_add_expansion(image.get(), 0, "m", "a.s", 0, 0, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("lines count from 1"));
  BOOST_CHECK_EQUAL(comet_image_add_expansion(image.get(), 0x10001, "", "a.s", 1, 0, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("a macro needs a name"));
  BOOST_CHECK_EQUAL(comet_image_add_expansion(image.get(), 8, "m", "a.s", 1, 0, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("add them by ascending address"));
  BOOST_CHECK_EQUAL(comet_image_add_import(image.get(), "a b", &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("1 to 63 letters"));
  BOOST_CHECK_EQUAL(comet_image_add_import(image.get(), "exit", &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("one place in the list"));
  BOOST_CHECK_EQUAL(comet_image_add_import(image.get(), nullptr, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK(says("name is NULL"));
  BOOST_CHECK(written(image) == before);
}

BOOST_AUTO_TEST_CASE(names_are_utf8_without_control_characters) {
  const auto accepted = [](const char* name) {
    const Image image = new_image();
    return comet_image_add_symbol(image.get(), name, 0, nullptr) == COMET_OK;
  };
  for (const char* name : {"a", "~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    BOOST_CHECK_MESSAGE(accepted(name), name);
  }
  for (const char* name :
       {"\x1f", "\x7f", "\x80", "\xc2\x80", "\xc2\x9f", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe1\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "a\xc3("}) {
    BOOST_CHECK_MESSAGE(!accepted(name), "accepted a bad name");
  }
}

BOOST_AUTO_TEST_CASE(sections_may_touch_share_pages_of_one_protection_and_reach_the_end) {
  const Image image = new_image();
  BOOST_CHECK_EQUAL(comet_image_add_section(image.get(), "a", 0, "xy", 2, 2, 5, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(comet_image_add_section(image.get(), "b", 2, "xy", 2, 65534, 5, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(comet_image_add_section(image.get(), "c", 65536, "xy", 2, 2, 3, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(comet_image_add_section(image.get(), "empty", 1, nullptr, 0, 0, 7, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(comet_image_add_section(image.get(), "end", UINT64_MAX, "x", 1, 1, 1, nullptr), COMET_OK);
  const Result result = read(written(image));
  BOOST_CHECK_EQUAL(result.status, COMET_OK);
  const Image whole = new_image();
  BOOST_CHECK_EQUAL(comet_image_add_section(whole.get(), "most", 1, nullptr, 0, UINT64_MAX, 3, nullptr),
                    COMET_OK);
  BOOST_CHECK_EQUAL(comet_image_add_section(whole.get(), "rest", 0, nullptr, 0, 1, 3, nullptr), COMET_OK);
}

// ---- files that are wrong --------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_files_made_by_hand_are_right) {
  BOOST_CHECK_EQUAL(read(file_of_sections({{0x10000, 3, 2, 5, "t", {1, 2}}})).status, COMET_OK);
  BOOST_CHECK_EQUAL(read(file_with("INST", {})).status, COMET_OK);
}

BOOST_AUTO_TEST_CASE(null_and_empty_are_refused) {
  comet_image* image = nullptr;
  BOOST_CHECK_EQUAL(comet_image_read(nullptr, 0, &image, nullptr), COMET_ERROR_FORMAT);
  BOOST_CHECK_EQUAL(comet_image_read(nullptr, 5, &image, nullptr), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_image_read("x", 1, nullptr, nullptr), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_image_read("x", 1, &image, nullptr), COMET_ERROR_FORMAT);
  comet_image_free(nullptr);
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused) {
  const Bytes file = written(sample());
  for (size_t length = 0; length < file.size(); ++length) {
    Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length));
    BOOST_CHECK_EQUAL(read(cut).status, COMET_ERROR_FORMAT);
    if (length >= 32) {
      put_at(cut, 16, length, 8);
      fix_checksum(cut);
      BOOST_CHECK_EQUAL(read(cut).status, COMET_ERROR_FORMAT);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_damaged_byte_is_noticed) {
  const Bytes file = written(sample());
  for (size_t offset = 0; offset < file.size(); ++offset) {
    for (const uint8_t flip : {0x01, 0x80, 0xff}) {
      Bytes damaged = file;
      damaged[offset] ^= flip;
      BOOST_CHECK_EQUAL(read(damaged).status, COMET_ERROR_FORMAT);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_header_is_refused) {
  const Bytes right = file_of_sections({});
  Bytes file = right;
  file[0] = 0x09;
  check_refused(file, 0, "damaged on its way");
  file = right;
  file.erase(file.begin() + 4);
  check_refused(file, 0, "text mode");
  check_refused({0x7f, 'E', 'L', 'F', 0, 0, 0, 0}, 0, "not a Comet image");
  check_refused(Bytes(right.begin(), right.begin() + 20), 20, "ends after 20 bytes");
  file = right;
  put_at(file, 8, 2, 4);
  check_refused(file, 8, "version 2");
  file = right;
  put_at(file, 16, 1000, 8);
  check_refused(file, 16, "says it has 1000 bytes");
  file = right;
  file[file.size() - 1] ^= 1;
  check_refused(file, file.size() - 8, "its checksum is");
  file = right;
  file.push_back(0);
  put_at(file, 16, file.size(), 8);
  check_refused(file, 16, "not a multiple of 8");
  file = right;
  put_at(file, 12, 1000, 4);
  fix_checksum(file);
  check_refused(file, 12, "1000 chunks do not fit");
}

BOOST_AUTO_TEST_CASE(a_wrong_table_of_chunks_is_refused) {
  const Bytes right = file_with("abcd", {1, 2, 3});
  const auto changed = [&](size_t offset, uint64_t value, size_t length) {
    Bytes file = right;
    put_at(file, offset, value, length);
    fix_checksum(file);
    return file;
  };
  const size_t entry = header + 2 * table_entry;
  BOOST_CHECK_EQUAL(read(right).status, COMET_OK);
  check_refused(changed(entry, '1', 1), entry, "four ASCII letters");
  check_refused(changed(entry, 'A', 1), entry, "chunk Abcd");
  check_refused(changed(entry + 4, 1, 4), entry + 4, "is not 0");
  check_refused(changed(entry + 8, third + 4, 8), entry + 8, "not a multiple of 8");
  check_refused(changed(entry + 8, third - 8, 8), entry + 8, "behind the chunk before it");
  check_refused(changed(entry + 8, UINT64_MAX - 7, 8), entry + 16, "behind the end of the content");
  check_refused(changed(entry + 16, 9, 8), entry + 16, "behind the end of the content");
  check_refused(changed(entry + 16, UINT64_MAX, 8), entry + 16, "behind the end of the content");
  check_refused(changed(third - 1, 1, 1), third - 1, "between chunks is not 0");
  check_refused(changed(third + 5, 1, 1), third + 5, "between chunks is not 0");
  check_refused(make_file({entry_chunk(), entry_chunk(), sections_chunk({})}), header + table_entry,
                "two chunks ENTR");
  check_refused(make_file({entry_chunk()}), header, "no chunk SECT");
  check_refused(make_file({sections_chunk({})}), header, "no chunk ENTR");
  check_refused(make_file({}), header, "no chunk ENTR");
}

BOOST_AUTO_TEST_CASE(chunks_may_come_in_any_order) {
  const Result result =
      read(make_file({sections_chunk({{0x10000, 3, 2, 5, "t", {1, 2}}}), entry_chunk(0x10001)}));
  BOOST_REQUIRE_EQUAL(result.status, COMET_OK);
  BOOST_CHECK_EQUAL(comet_image_entry(result.image.get()), 0x10001u);
}

BOOST_AUTO_TEST_CASE(unknown_chunks_are_passed_over_only_when_they_allow_it) {
  const Result result = read(file_with("note", {1, 2, 3}));
  BOOST_REQUIRE_EQUAL(result.status, COMET_OK);
  BOOST_CHECK(written(result.image) == make_file({entry_chunk(), sections_chunk({})}));
  check_refused(file_with("Note", {1, 2, 3}), header + 2 * table_entry, "needs what chunk Note brings");
}

namespace {

// A record of chunk INST: opcode, name of three letters, meaning, kinds of operands, body.
std::vector<uint8_t> instruction(uint64_t opcode, const std::string& name, const std::string& meaning, const std::string& kinds,
                                 const std::vector<uint8_t>& body) {
  std::vector<uint8_t> record = numbers({{opcode, 8}, {name.size(), 2}});
  const auto add = [&](const std::vector<uint8_t>& more) { record.insert(record.end(), more.begin(), more.end()); };
  add({name.begin(), name.end()});
  add(numbers({{meaning.size(), 2}}));
  add({meaning.begin(), meaning.end()});
  add({static_cast<uint8_t>(kinds.size())});
  add({kinds.begin(), kinds.end()});
  add(numbers({{body.size(), 2}}));
  add(body);
  return record;
}

std::vector<uint8_t> instructions(uint64_t count, const std::vector<std::vector<uint8_t>>& records) {
  std::vector<uint8_t> chunk = numbers({{count, 4}});
  for (const auto& record : records) chunk.insert(chunk.end(), record.begin(), record.end());
  return chunk;
}

}  // namespace

BOOST_AUTO_TEST_CASE(wrong_instructions_are_refused) {
  const std::vector<uint8_t> nop{0, 1, 1};
  const auto own = instruction(1024, "own", "does", "", nop);
  BOOST_CHECK_EQUAL(read(file_with("INST", instructions(1, {own}))).status, COMET_OK);
  const size_t first = third + 4;
  check_refused(file_with("INST", {1}), third, "takes 4 bytes but 1");
  check_refused(file_with("INST", instructions(UINT32_MAX, {own})), third, "4294967295 instructions do not fit");
  check_refused(file_with("INST", instructions(1, {own, own})), first + own.size(), "bytes follow behind the last record");
  check_refused(file_with("INST", instructions(2, {own, own})), first + own.size(), "not in ascending order of opcodes");
  check_refused(file_with("INST", instructions(2, {own, instruction(1025, "own", "does", "", nop)})), first + own.size(),
                "`own` is defined already, with opcode 1024");
  check_refused(file_with("INST", instructions(1, {instruction(1024, "own", "do\x01s", "", nop)})), first, "the meaning of an instruction is not UTF-8");
  check_refused(file_with("INST", instructions(1, {instruction(1024, "own", "does", "", {0, 2, 1})})), first, "its body ends");
  check_refused(file_with("INST", instructions(1, {instruction(1, "nop", "does", "", nop)})), first, "cannot give the instruction `nop` of the table another meaning");
  check_refused(file_with("INST", instructions(1, {instruction(1023, "own", "does", "", nop)})), first, "opcode 1023 is not for users to define");
  auto longer = own;
  longer[own.size() - 5] = 4;
  check_refused(file_with("INST", instructions(1, {longer})), first + own.size() - 3, "takes 4 bytes but 3");
}

BOOST_AUTO_TEST_CASE(a_wrong_entry_is_refused) {
  check_refused(make_file({{"ENTR", numbers({{1, 4}})}, sections_chunk({})}), header + 2 * table_entry,
                "takes 8 bytes but 4");
  check_refused(make_file({{"ENTR", numbers({{1, 8}, {2, 8}})}, sections_chunk({})}),
                header + 2 * table_entry + 8, "8 bytes follow");
}

BOOST_AUTO_TEST_CASE(wrong_sections_are_refused) {
  const size_t count = second_chunk();
  const size_t first = count + 4;
  const size_t second = first + 8 + 8 + 8 + 1 + 2 + 1 + 1;  // behind a section of one byte with a name of one
  check_refused(make_file({entry_chunk(), {"SECT", numbers({{UINT32_MAX, 4}})}}), count,
                "4294967295 sections do not fit");
  check_refused(file_of_sections({{0, 1, UINT64_MAX, 5, "t", {1}}}), first + 28,
                "takes 18446744073709551615 bytes but 1");
  check_refused(file_of_sections({{0, 2, 3, 5, "t", {1}}}), first + 28, "takes 3 bytes but 1");
  check_refused(file_of_sections({{0, 1, 2, 5, "t", {1, 2}}}), first, "at least as large");
  check_refused(file_of_sections({{0, 1, 1, 8, "t", {1}}}), first, "protection 8");
  check_refused(file_of_sections({{UINT64_MAX, 2, 1, 5, "t", {1}}}), first,
                "beyond the end of the address space");
  check_refused(file_of_sections({{0, 1, 1, 5, "\x01", {1}}}), first, "\"\\x01\" is not valid");
  check_refused(file_of_sections({{0, 1, 2, 5, "", {1, 2}}}), first, "needs a name");
  check_refused(file_of_sections({{0, 5, 1, 5, "a", {1}}, {4, 1, 1, 5, "b", {1}}}), second,
                "overlap at address 0x4");
  check_refused(file_of_sections({{4, 1, 1, 5, "a", {1}}, {0, 5, 1, 5, "b", {1}}}), second,
                "overlap at address 0x4");
  check_refused(file_of_sections({{0, 5, 1, 5, "a", {1}}, {5, 1, 1, 3, "b", {1}}}), second,
                "share the page at 0x0");
  check_refused(file_of_sections({{0, 0x20001, 1, 5, "a", {1}}, {0x2ffff, 1, 1, 3, "b", {1}}}), second,
                "page at 0x20000");
  Bytes content = sections_chunk({{0, 1, 1, 5, "t", {1}}}).content;
  content.push_back(0);
  check_refused(make_file({entry_chunk(), {"SECT", content}}), second, "1 bytes follow");
}

BOOST_AUTO_TEST_CASE(wrong_imports_are_refused) {
  check_refused(file_with("IMPT", numbers({{2, 4}, {1, 2}, {'a', 1}})), third, "2 imports do not fit");
  check_refused(file_with("IMPT", numbers({{1, 4}, {1, 2}, {'/', 1}})), third + 4,
                "import \"/\" is not valid");
  check_refused(file_with("IMPT", numbers({{1, 4}, {0, 2}, {'a', 1}})), third + 4,
                "import \"\" is not valid");
  check_refused(file_with("IMPT", numbers({{1, 4}, {2, 2}, {'a', 1}})), third + 6, "takes 2 bytes but 1");
  check_refused(file_with("IMPT", numbers({{2, 4}, {1, 2}, {'a', 1}, {1, 2}, {'a', 1}})), third + 7,
                "in the image already");
  Bytes long_name = numbers({{1, 4}});
  put_name(long_name, std::string(64, 'a'));
  check_refused(file_with("IMPT", long_name), third + 4, "1 to 63 letters");
}

BOOST_AUTO_TEST_CASE(wrong_symbols_are_refused) {
  const auto symbols = [](std::initializer_list<std::pair<uint64_t, std::string>> list) {
    Bytes content = numbers({{list.size(), 4}});
    for (const auto& [value, name] : list) {
      put(content, value, 8);
      put_name(content, name);
    }
    return file_with("symb", content);
  };
  BOOST_CHECK_EQUAL(read(symbols({{1, "b"}, {2, "a"}, {2, "c"}})).status, COMET_OK);
  check_refused(symbols({{2, "a"}, {1, "b"}}), third + 4 + 11, "out of order");
  check_refused(symbols({{1, "b"}, {1, "a"}}), third + 4 + 11, "out of order");
  check_refused(symbols({{1, "a"}, {2, "a"}}), third + 4 + 11, "in the image already");
  check_refused(symbols({{1, "\xff"}}), third + 4, "is not valid");
  check_refused(file_with("symb", numbers({{1, 4}, {1, 8}})), third, "1 symbols do not fit");
}

BOOST_AUTO_TEST_CASE(wrong_lines_are_refused) {
  using Lines = std::vector<std::array<uint64_t, 4>>;
  const auto lines = [](const std::string& file, const Lines& list) {
    Bytes content = numbers({{1, 4}});
    put_name(content, file);
    put(content, list.size(), 4);
    for (const auto& [address, number, line, column] : list) {
      put(content, address, 8);
      put(content, number, 4);
      put(content, line, 4);
      put(content, column, 4);
    }
    return file_with("line", content);
  };
  const size_t first = third + 4 + 3 + 4;
  BOOST_CHECK_EQUAL(read(lines("f", {{1, 0, 1, 0}, {2, 0, 1, 9}})).status, COMET_OK);
  check_refused(lines("f", {{1, 1, 1, 0}}), first, "file number 1 of 1");
  check_refused(lines("f", {{1, 0, 0, 0}}), first, "lines count from 1");
  check_refused(lines("f", {{1, 0, 1, 0}, {1, 0, 2, 0}}), first + 20, "ascending order");
  check_refused(lines("\n", {}), third + 4, "file name \"\\x0a\" is not valid");
  check_refused(file_with("line", numbers({{1, 4}})), third, "1 source files do not fit");
  check_refused(file_with("line", numbers({{0, 4}, {1, 4}})), third + 4, "1 source lines do not fit");
}

BOOST_AUTO_TEST_CASE(wrong_views_are_refused) {
  using Views = std::vector<std::pair<std::string, std::string>>;
  const auto views = [](const Views& list) {
    Bytes content = numbers({{list.size(), 4}});
    for (const auto& [name, description] : list) {
      put_name(content, name);
      put_name(content, description);
    }
    return file_with("view", content);
  };
  BOOST_CHECK_EQUAL(read(views({{"a", "u8"}, {"b", "any text )("}})).status, COMET_OK);
  check_refused(views({{"b", "u8"}, {"a", "u8"}}), third + 4 + 3 + 4, "by ascending names");
  check_refused(views({{"a", "u8"}, {"a", "u8"}}), third + 4 + 3 + 4, "add each view once");
  check_refused(views({{"", "u8"}}), third + 4, "a view needs a name");
  check_refused(views({{"a", "u8\n"}}), third + 4, "view's description name");
  check_refused(file_with("view", numbers({{2, 4}, {0, 8}})), third, "2 views do not fit");
  check_refused(file_with("view", numbers({{1, 4}, {1, 2}, {'a', 1}, {9, 2}, {0, 1}})), third + 9, "a view's description takes 9 bytes");
}

BOOST_AUTO_TEST_CASE(wrong_expansions_are_refused) {
  using Expansions = std::vector<std::array<uint64_t, 5>>;
  const auto expansions = [](const std::string& file, const std::string& macro, const Expansions& list) {
    Bytes content = numbers({{1, 4}});
    put_name(content, file);
    put(content, 1, 4);
    put_name(content, macro);
    put(content, list.size(), 4);
    for (const auto& [address, macro_number, number, line, column] : list) {
      put(content, address, 8);
      put(content, macro_number, 4);
      put(content, number, 4);
      put(content, line, 4);
      put(content, column, 4);
    }
    return file_with("expn", content);
  };
  const size_t first = third + 4 + 3 + 4 + 3 + 4;
  BOOST_CHECK_EQUAL(read(expansions("f", "m", {{1, 0, 0, 1, 0}, {1, 0, 0, 2, 9}})).status, COMET_OK);
  check_refused(expansions("f", "m", {{1, 1, 0, 1, 0}}), first, "macro number 1 of 1");
  check_refused(expansions("f", "m", {{1, 0, 1, 1, 0}}), first, "file number 1 of 1");
  check_refused(expansions("f", "m", {{1, 0, 0, 0, 0}}), first, "lines count from 1");
  check_refused(expansions("f", "m", {{1, 0, 0, 1, 0}, {0, 0, 0, 1, 0}}), first + 24, "ascending address");
  check_refused(expansions("\n", "m", {}), third + 4, "a source file's name \"\\x0a\" is not valid");
  check_refused(expansions("f", "\n", {}), third + 4 + 3 + 4, "a macro's name \"\\x0a\" is not valid");
  check_refused(file_with("expn", numbers({{1, 4}})), third, "1 source files do not fit");
  check_refused(file_with("expn", numbers({{0, 4}, {1, 4}})), third + 4, "1 macros do not fit");
  check_refused(file_with("expn", numbers({{0, 4}, {0, 4}, {1, 4}})), third + 8, "1 expansions do not fit");
}

BOOST_AUTO_TEST_CASE(a_huge_memory_length_costs_nothing_until_it_is_loaded) {
  const Result result = read(file_of_sections({{0, UINT64_MAX, 1, 3, "huge", {1}}}));
  BOOST_REQUIRE_EQUAL(result.status, COMET_OK);
  const Machine machine = new_machine();
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_image_load(result.image.get(), machine.get(), 0, &error), COMET_ERROR_MEMORY);
  comet_region region = COMET_REGION_INIT;
  BOOST_CHECK_EQUAL(comet_next_region(machine.get(), 0, 0, &region, nullptr), COMET_ERROR_ADDRESS);
}

BOOST_AUTO_TEST_CASE(damaged_files_with_right_checksums_are_refused_or_valid) {
  const Bytes file = written(sample());
  std::mt19937_64 random(1);
  size_t accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    Bytes damaged = file;
    const size_t changes = 1 + random() % 4;
    for (size_t i = 0; i < changes; ++i) {
      // Behind the fields of the header that are only compared.
      const size_t offset = 24 + random() % (damaged.size() - 24);
      damaged[offset] = static_cast<uint8_t>(random() % 3 == 0 ? 0xff : random());
    }
    fix_checksum(damaged);
    Result result = read(damaged);
    if (result.status == COMET_OK) {
      ++accepted;
      // What was accepted keeps what a valid image promises: it can be written, and read again.
      BOOST_CHECK_EQUAL(read(written(result.image)).status, COMET_OK);
    } else {
      BOOST_CHECK_EQUAL(result.status, COMET_ERROR_FORMAT);
      BOOST_CHECK_LE(result.offset, damaged.size());
      BOOST_CHECK(!result.message.empty());
    }
  }
  BOOST_CHECK_GT(accepted, 0u);
  BOOST_CHECK_LT(accepted, 5000u);
}

// ---- loading ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(loading_fills_memory_and_goes_to_the_entry) {
  const Machine machine = new_machine();
  const Image image = sample();
  BOOST_REQUIRE_EQUAL(comet_image_load(image.get(), machine.get(), 0, nullptr), COMET_OK);
  uint8_t bytes[4];
  BOOST_REQUIRE_EQUAL(comet_read(machine.get(), 0, 0x20000, bytes, sizeof bytes, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(bytes[0], 'h');
  BOOST_CHECK_EQUAL(bytes[2], 0);
  comet_region region = COMET_REGION_INIT;
  BOOST_REQUIRE_EQUAL(comet_next_region(machine.get(), 0, 0, &region, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(region.address, 0x10000u);
  BOOST_CHECK_EQUAL(region.protection, COMET_READ | COMET_EXECUTE);
  BOOST_CHECK_EQUAL(comet_host_import_name(machine.get(), 1), "exit");
  comet_stop stop = COMET_STOP_INIT;
  BOOST_REQUIRE_EQUAL(comet_run(machine.get(), 0, 10, &stop, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  uint64_t value = 0;
  comet_get_register(machine.get(), 0, 0, 1, &value, nullptr);
  BOOST_CHECK_EQUAL(value, 42u);
}

BOOST_AUTO_TEST_CASE(loading_again_brings_back_what_was_loaded) {
  const Machine machine = new_machine();
  const Image image = sample();
  BOOST_REQUIRE_EQUAL(comet_image_load(image.get(), machine.get(), 0, nullptr), COMET_OK);
  const Bytes junk(100000, 0xee);
  BOOST_REQUIRE_EQUAL(comet_write(machine.get(), 0, 0x20000, junk.data(), junk.size(), nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_load(image.get(), machine.get(), 0, nullptr), COMET_OK);
  Bytes bytes(100000, 1);
  BOOST_REQUIRE_EQUAL(comet_read(machine.get(), 0, 0x20000, bytes.data(), bytes.size(), nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(bytes[1], 'i');
  BOOST_CHECK_EQUAL(std::count(bytes.begin(), bytes.end(), 0), 99998);
}

BOOST_AUTO_TEST_CASE(zeros_are_loaded_over_whatever_was_there) {
  const Machine machine = new_machine();
  constexpr uint64_t origin = 0x20000;
  for (const int page : {0, 1, 3}) // of different rights, and one that is not there
    BOOST_REQUIRE_EQUAL(comet_map(machine.get(), 0, origin + page * COMET_PAGE_SIZE, 1, page == 1 ? COMET_READ : COMET_READ | COMET_WRITE, nullptr),
                        COMET_OK);
  const Bytes junk(2 * COMET_PAGE_SIZE, 0xee);
  BOOST_REQUIRE_EQUAL(comet_write(machine.get(), 0, origin, junk.data(), junk.size(), nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_write(machine.get(), 0, origin + 3 * COMET_PAGE_SIZE, junk.data(), COMET_PAGE_SIZE, nullptr), COMET_OK);
  const Image image = new_image();
  const uint64_t length = 3 * COMET_PAGE_SIZE + 100;
  BOOST_REQUIRE_EQUAL(comet_image_add_section(image.get(), "zeros", origin, nullptr, 0, length, COMET_READ | COMET_WRITE, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_load(image.get(), machine.get(), 0, nullptr), COMET_OK);
  Bytes found(4 * COMET_PAGE_SIZE, 1);
  BOOST_REQUIRE_EQUAL(comet_read(machine.get(), 0, origin, found.data(), found.size(), nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(std::count(found.begin(), found.begin() + length, 0), static_cast<std::ptrdiff_t>(length));
  BOOST_CHECK_EQUAL(std::count(found.begin() + length, found.end(), 0xee), COMET_PAGE_SIZE - 100);
}

BOOST_AUTO_TEST_CASE(an_image_goes_to_another_space_without_moving_the_thread) {
  const Machine machine = new_machine();
  const Image image = sample();
  comet_space space = 0;
  BOOST_REQUIRE_EQUAL(comet_space_new(machine.get(), &space, nullptr), COMET_OK);
  BOOST_REQUIRE_EQUAL(comet_image_load(image.get(), machine.get(), space, nullptr), COMET_OK);
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  comet_thread_get(machine.get(), 0, &info, nullptr);
  BOOST_CHECK_EQUAL(info.pc, 0u);
  BOOST_CHECK_EQUAL(comet_image_load(image.get(), machine.get(), space + 1, nullptr), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_image_load(new_image().get(), machine.get(), space + 1, nullptr),
                    COMET_ERROR_ARGUMENT);
}

BOOST_AUTO_TEST_CASE(a_host_call_that_was_not_granted_keeps_an_image_out) {
  const Machine machine = new_machine();
  const Image image = sample();
  comet_host_revoke_standard(machine.get(), "exit", nullptr);
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_image_load(image.get(), machine.get(), 0, &error), COMET_ERROR_CAPABILITY);
  BOOST_CHECK(std::string_view(error.message).find("\"exit\"") != std::string_view::npos);
  BOOST_CHECK(comet_host_import_name(machine.get(), 0) == nullptr);
}

BOOST_AUTO_TEST_CASE(import_lists_must_agree) {
  const Image image = sample();
  uint32_t index = 0;
  {
    const Machine machine = new_machine();
    comet_host_import(machine.get(), "write", &index, nullptr);
    BOOST_CHECK_EQUAL(comet_image_load(image.get(), machine.get(), 0, nullptr), COMET_OK);
    comet_host_import(machine.get(), "read", &index, nullptr);
    BOOST_CHECK_EQUAL(comet_image_load(image.get(), machine.get(), 0, nullptr), COMET_OK);
    BOOST_CHECK_EQUAL(comet_host_import_name(machine.get(), 2), "read");
  }
  {
    const Machine machine = new_machine();
    comet_host_import(machine.get(), "exit", &index, nullptr);
    BOOST_CHECK_EQUAL(comet_image_load(image.get(), machine.get(), 0, nullptr), COMET_ERROR_STATE);
    BOOST_CHECK(comet_host_import_name(machine.get(), 1) == nullptr);
  }
}

BOOST_AUTO_TEST_CASE(a_load_that_fails_leaves_the_machine_as_it_was) {
  comet_config config = COMET_CONFIG_INIT;
  config.memory_limit = 2 * COMET_PAGE_SIZE;
  const Machine machine = new_machine(&config);
  BOOST_REQUIRE_EQUAL(comet_map(machine.get(), 0, 0x10000, 1, COMET_READ, nullptr), COMET_OK);
  uint8_t before[16], after[16];
  comet_state_hash(machine.get(), before, nullptr);
  BOOST_CHECK_EQUAL(comet_image_load(sample().get(), machine.get(), 0, nullptr), COMET_ERROR_MEMORY);
  comet_state_hash(machine.get(), after, nullptr);
  BOOST_CHECK(std::equal(before, before + 16, after));
  BOOST_CHECK_EQUAL(comet_snapshot_bytes(machine.get()), 0u);
}

BOOST_AUTO_TEST_SUITE_END()
