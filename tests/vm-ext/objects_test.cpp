// Objects and archives, linked by the C API. That linking gives the bytes that the assembler's own linker gives is held
// by tests/asm/linking.scm.
#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <memory>
#include <tuple>

#include "objects.h"
#include "support.h"

using namespace support;
using namespace objects_by_hand;

namespace {

struct Free {
  void operator()(comet_linker* linker) const { comet_linker_free(linker); }
  void operator()(comet_image* image) const { comet_image_free(image); }
};
using Linker = std::unique_ptr<comet_linker, Free>;
using Image = std::unique_ptr<comet_image, Free>;

Linker linker_with(std::initializer_list<Piece> files) {
  comet_linker* linker = nullptr;
  SUPPORT_OK(comet_linker_new(&linker, error));
  Linker owner(linker);
  int number = 0;
  for (const Piece& file : files) {
    const Piece name = "f" + std::to_string(++number) + ".o";
    SUPPORT_OK(comet_linker_add(linker, name.c_str(), file.data(), file.size(), error));
  }
  return owner;
}

Image linked(std::initializer_list<Piece> files, const char* entry = nullptr) {
  comet_image* image = nullptr;
  SUPPORT_OK(comet_linker_link(linker_with(files).get(), entry, &image, error));
  return Image(image);
}

std::uint64_t value_of(const Image& image, const char* name) {
  comet_symbol symbol = COMET_SYMBOL_INIT;
  SUPPORT_OK(comet_image_find_symbol(image.get(), name, &symbol, error));
  return symbol.value;
}

Piece bytes_of(const Image& image, std::size_t n = 0) {
  comet_section section = COMET_SECTION_INIT;
  SUPPORT_OK(comet_image_section(image.get(), n, &section, error));
  return Piece(section.bytes, section.bytes + section.length);
}

// What adding or linking the files says is wrong.
Piece refusal(std::initializer_list<Piece> files, const char* entry = nullptr) {
  comet_linker* linker = nullptr;
  SUPPORT_OK(comet_linker_new(&linker, error));
  const Linker owner(linker);
  comet_error error = COMET_ERROR_INIT;
  comet_status status = COMET_OK;
  int number = 0;
  for (const Piece& file : files) {
    const Piece name = "f" + std::to_string(++number) + ".o";
    if (status == COMET_OK) status = comet_linker_add(linker, name.c_str(), file.data(), file.size(), &error);
  }
  comet_image* image = nullptr;
  if (status == COMET_OK) status = comet_linker_link(linker, entry, &image, &error);
  BOOST_CHECK_EQUAL(status, COMET_ERROR_FORMAT);
  BOOST_CHECK(image == nullptr);
  return error.message;
}

void check_says(const Piece& message, const Piece& words) {
  BOOST_CHECK_MESSAGE(message.find(words) != Piece::npos, "said: " << message << "\nwanted: " << words);
}

} // namespace

BOOST_AUTO_TEST_SUITE(objects)

BOOST_AUTO_TEST_CASE(symbols_are_resolved_among_objects) {
  const Image image = linked({object(calls), object(defines)});
  BOOST_CHECK_EQUAL(comet_image_entry(image.get()), 0x10000);
  BOOST_CHECK_EQUAL(value_of(image, "f"), 0x10003); // behind the jump of two bytes and a nop
  BOOST_CHECK_EQUAL(bytes_of(image).size(), 6);
  BOOST_CHECK_EQUAL(bytes_of(image)[1], 6); // three bytes ahead, zig-zag
  comet_line line = COMET_LINE_INIT;
  SUPPORT_OK(comet_image_line_at(image.get(), 0x10002, &line, error));
  BOOST_CHECK_EQUAL(line.file, "x.s");
  machine vm;
  SUPPORT_OK(comet_image_load(image.get(), vm, 0, error));
  const comet_stop stop = vm.run(3);
  BOOST_CHECK_EQUAL(stop.pc, 0x10005);
}

BOOST_AUTO_TEST_CASE(members_of_archives_join_where_they_are_needed) {
  const Chunks other{.symbols = of({1}) + defined("unneeded", global), .parts = statement + label(0)};
  const Piece library = archive({{"//", "a-rather-long-name.o/\n"}, {"/", "an index"}, {"/0", object(defines)}, {"o.o/", object(other)}});
  const Image image = linked({library, object(calls)});
  BOOST_CHECK_EQUAL(bytes_of(image).size(), 6);
  BOOST_CHECK_EQUAL(value_of(image, "f"), 0x10003);
  BOOST_CHECK_EQUAL(linked({library, object(calls)}, "unneeded") ? 1 : 0, 1);
  // A program that is all in an archive begins with what is called _start, or main.
  const Chunks main{.symbols = of({1}) + defined("main", global), .parts = statement + label(0, 2)};
  BOOST_CHECK_EQUAL(comet_image_entry(linked({object({}), archive({{"m.o/", object(main)}})}).get()), 0x10006);
  const Chunks alone{.symbols = of({2}) + needed("g", 2) + defined("main", global), .parts = statement + label(1, 2)};
  BOOST_CHECK_EQUAL(comet_image_entry(linked({object(alone), archive({{"m.o/", object(main)}})}).get()), 0x10002);
  // Names may end as other writers of archives have them end.
  BOOST_CHECK_EQUAL(bytes_of(linked({archive({{"plain.o", object(defines)}}), object(calls)})).size(), 6);
}

// An archive gives what objects before it need and nothing has defined; the first of its members that defines it.
BOOST_AUTO_TEST_CASE(archives_give_what_is_needed_before_them) {
  const Chunks apart{.symbols = of({2}) + defined("x", local) + needed("nothing"), .parts = statement + label(0)};
  const Chunks main{.symbols = of({1}) + defined("main", global), .parts = statement + label(0, 1)};
  const Chunks start{.symbols = of({1}) + defined("_start", global), .parts = statement + label(0, 2)};
  const Piece without = archive({{"x.o/", object(apart)}, {"main.o/", object(main)}});
  const Piece with = archive({{"//", "odd"}, {"/SYM64/", "odd"}, {"f.o/", object(defines)}, {"g.o/", object(defines)}, {"/", "odd"}});
  for (const char* entry : {static_cast<const char*>(nullptr), "_start", "f"}) {
    const Image image = linked({object(calls), without, with.substr(0, with.size() - 1)}, entry);
    BOOST_CHECK_EQUAL(bytes_of(image).size(), 6);
    BOOST_CHECK_EQUAL(value_of(image, "f"), 0x10003);
  }
  check_says(refusal({object(calls), with}, "nowhere"), "the entry \"nowhere\" is not defined in any object");
  // What is needed weakly is not taken for that.
  Chunks weakly = calls;
  weakly.symbols = of({2}) + defined("_start", global) + needed("f", 2);
  BOOST_CHECK_EQUAL(bytes_of(linked({object(weakly), with})).size(), 4);
  BOOST_CHECK_EQUAL(comet_image_entry(linked({object({}), archive({{"s.o/", object(start)}}), without}).get()), 0x10006);
  BOOST_CHECK_EQUAL(bytes_of(linked({object({}), with})).size(), 4);
  // A name that only the object itself sees is one to begin at, too.
  Chunks own = start;
  own.symbols = of({1}) + defined("_start", local);
  BOOST_CHECK_EQUAL(comet_image_entry(linked({object(own), without}).get()), 0x10002);
}

BOOST_AUTO_TEST_CASE(a_global_symbol_wins_over_weak_ones_and_nothing_is_0) {
  Chunks weakly = defines, strongly = defines;
  weakly.symbols = of({1}) + defined("f", weak);
  const Image image = linked({object(calls), object(weakly), object(strongly), object(weakly)});
  BOOST_CHECK_EQUAL(value_of(image, "f"), 0x10007);
  Chunks absent = calls;
  absent.symbols = of({2}) + defined("_start", global) + needed("f", 2);
  const Piece bytes = bytes_of(linked({object(absent)}));
  BOOST_CHECK_EQUAL(bytes.size(), 4); // from 0x10000 to 0
}

BOOST_AUTO_TEST_CASE(names_of_ones_own_stay_apart) {
  Chunks one{.symbols = of({2}) + defined("x", local) + defined("y", hidden), .parts = statement + label(0) + label(1)};
  Chunks other = one;
  other.files = of({1}) + text("dir/other.s");
  const Image image = linked({object(one), object(other), object(other)});
  BOOST_CHECK_EQUAL(value_of(image, "x"), 0x10000);
  BOOST_CHECK_EQUAL(value_of(image, "x@other.s"), 0x10004);
  BOOST_CHECK_EQUAL(value_of(image, "x@other.s.2"), 0x10008);
  comet_symbol symbol = COMET_SYMBOL_INIT;
  BOOST_CHECK_EQUAL(comet_image_find_symbol(image.get(), "y", &symbol, nullptr), COMET_ERROR_ADDRESS);
}

BOOST_AUTO_TEST_CASE(many_names_of_ones_own_are_told_apart_soon) {
  constexpr int count = 20000;  // minutes, were each name sought from the first one on
  Linker linker = linker_with({});
  for (int i = 0; i < count; ++i) {
    const Piece file = object({.symbols = of({1}) + defined("x", local), .parts = statement + label(0)});
    SUPPORT_OK(comet_linker_add(linker.get(), "f.o", file.data(), file.size(), error));
  }
  comet_image* image = nullptr;
  SUPPORT_OK(comet_linker_link(linker.get(), nullptr, &image, error));
  BOOST_CHECK_EQUAL(value_of(Image(image), ("x@x.s." + std::to_string(count - 1)).c_str()), 0x10000 + 4 * (count - 1));
}

BOOST_AUTO_TEST_CASE(directives_put_what_is_computed) {
  Chunks chunks{.symbols = of({1}) + defined("x", local), .parts = statement + label(0)};
  const auto bytes = [&](const Piece& parts) {
    chunks.parts = statement + label(0) + parts;
    return bytes_of(linked({object(chunks)}));
  };
  const Piece nops = of({1, 1, 1, 1});
  BOOST_CHECK(bytes(directive(0, {integer(5), integer(-1)})) == of({5, 255}) + nops);
  BOOST_CHECK(bytes(directive(3, {symbol(0)})) == little(0x10000, 8) + nops);
  BOOST_CHECK(bytes(directive(4, {symbol(0)})) == leb(0x10000) + nops);
  BOOST_CHECK(bytes(directive(5, {integer(-2)})) == of({126}) + nops);
  BOOST_CHECK(bytes(directive(5, {integer(64)})) == of({192, 0}) + nops);
  BOOST_CHECK(bytes(directive(6, {integer(3), integer(7)})) == of({7, 7, 7}) + nops);
  BOOST_CHECK(bytes(directive(8, {integer(2), integer(2), integer(5)})) == of({5, 0, 5, 0}) + nops);
  BOOST_CHECK(bytes(directive(8, {integer(2)})) == of({0, 0}) + nops);
  BOOST_CHECK_EQUAL(bytes(directive(10, {operation(6, symbol(0), integer(-1)), integer(9)})).size(), 4);
  chunks.sections = of({1}) + text(".text") + of({5, 0, 4, 1, 1}); // one byte, then zeros
  BOOST_CHECK(bytes("") == of({1}));
  const Piece computed = bytes(directive(0, {operation(2, integer(-7), integer(2)), operation(3, integer(-7), integer(2)),
                                             operation(4, integer(-7), integer(2)), operation(5, integer(3), integer(2)),
                                             operation(5, integer(-3), integer(-1)), operation(6, integer(6), integer(3)),
                                             operation(7, integer(6), integer(3)), operation(8, integer(6), integer(3)),
                                             operation(9, integer(6)), operation(10, integer(-6)),
                                             operation(11, integer(6), integer(3)), operation(12, integer(6), integer(3))}));
  BOOST_CHECK(computed == of({253, 255, 1, 12, 254, 2, 7, 5, 249, 6, 3, 6, 1}));
  const Piece compared = bytes(directive(0, {operation(1, integer(6), integer(-3)), operation(13, integer(3), integer(3)),
                                             operation(14, integer(3), integer(3)), operation(15, integer(4), integer(3)),
                                             operation(16, integer(3), integer(3)), operation(17, integer(2), integer(3)),
                                             operation(0, integer(-2), integer(3)), of({4, 1, 8, 0}) + symbol(0)}));
  BOOST_CHECK(compared == of({254, 1, 0, 1, 1, 0, 250, 4, 1}));
}

BOOST_AUTO_TEST_CASE(operations_compute_as_the_assembler_does) {
  const struct {
    int number;
    std::int64_t x, y, result;
  } table[] = {{0, 6, 7, 42},  {1, 12, 4, 3},   {2, -7, 2, -3},  {2, 7, -2, -3}, {3, -7, 2, -1}, {3, 7, -2, 1},  {4, -7, 2, 1},  {4, 7, -2, -1},
               {4, 7, 2, 1},   {4, -7, -2, -1}, {4, 8, 2, 0},    {5, 1, 4, 16},  {5, 16, -2, 4}, {5, 1, -200, 0}, {6, 12, 10, 8}, {7, 12, 10, 14},
               {8, 12, 10, 6}, {9, 5, 0, -6},   {10, -5, 0, 5},  {10, 5, 0, 5},  {11, 3, -4, -4}, {12, 3, -4, 3}, {13, 3, 3, 1},  {13, 3, 4, 0},
               {14, 3, 4, 1},  {14, 4, 3, 0},   {15, 4, 3, 1},   {15, 3, 4, 0},  {16, 3, 3, 1},  {16, 4, 3, 0},  {17, 3, 3, 1},  {17, 2, 3, 0}};
  for (const auto& row : table) {
    const bool alone = row.number == 9 || row.number == 10;
    const Chunks chunks{.parts = statement + directive(3, {operation(row.number, integer(row.x), alone ? "" : integer(row.y))})};
    BOOST_TEST_CONTEXT(row.number << ": " << row.x << ", " << row.y)
      BOOST_CHECK(bytes_of(linked({object(chunks)})).substr(0, 8) == little(static_cast<std::uint64_t>(row.result), 8));
  }
}

BOOST_AUTO_TEST_CASE(room_is_made_and_filled_as_directives_say) {
  enum { fill = 8, align, org, assert_true };
  const auto begins = [](const Piece& parts, const Piece& bytes, int protection = 5) {
    Chunks chunks{.sections = of({1}) + text(".text") + of({protection, 0, 1, 1, 9}), .parts = statement + parts};
    BOOST_CHECK(bytes_of(linked({object(chunks)})).substr(0, bytes.size()) == bytes);
  };
  const Piece one = directive(0, {integer(7)});
  begins(one + directive(align, {integer(4)}), of({7, 1, 1, 1, 9}));  // with nops
  begins(one + directive(align, {integer(4), integer(5)}), of({7, 5, 5, 5, 9}));
  begins(one + directive(align, {integer(4)}), of({7, 0, 0, 0, 9}), 3);
  begins(one + directive(align, {integer(1)}), of({7, 9}));
  begins(one + directive(org, {integer(0x10003), integer(6)}), of({7, 6, 6, 9}));
  begins(directive(fill, {integer(2)}), of({0, 0, 9}));
  begins(directive(fill, {integer(2), integer(1), integer(3)}), of({3, 3, 9}));
  begins(directive(fill, {integer(2), integer(2), integer(0x102)}), of({2, 1, 2, 1, 9}));
  begins(directive(fill, {integer(1), integer(4), integer(1)}), of({1, 0, 0, 0, 9}));
  begins(directive(fill, {integer(1), integer(8), integer(-1)}), Piece(8, '\xff') + of({9}));
  begins(directive(fill, {integer(0), integer(8), integer(-1)}), of({9}));
  begins(directive(assert_true, {integer(1)}), of({9}));
  const auto says = [](const Piece& parts, const char* words) { check_says(refusal({object({.parts = statement + parts})}), words); };
  for (const std::int64_t alignment : {0, -4, 3, 131072}) says(directive(align, {integer(alignment)}), "a power of two up to 65536");
  for (const std::int64_t size : {0, 3, 9, -1}) says(directive(fill, {integer(1), integer(size), integer(1)}), "values of 1, 2, 4 or 8 bytes");
  for (const std::int64_t byte : {256, -129}) {
    says(directive(fill, {integer(1), integer(1), integer(byte)}), "a byte to fill with is none");
    says(directive(0, {integer(byte)}), "does not fit into its bytes");
  }
  says(directive(fill, {integer(-1)}), "less than nothing");
  says(directive(fill, {integer((INT64_C(1) << 30) + 1)}), "more than 2^30 bytes");
  says(directive(org, {integer(0)}), "cannot go back");
  says(directive(assert_true, {integer(0)}), "what was asserted is false");
  for (const int number : {int{fill}, int{align}, int{org}, int{assert_true}}) says(directive(number, {}), "too few or too many operands");
  says(directive(align, {integer(4), integer(5), integer(6)}), "too few or too many operands");
}

// Constants of several objects under one name, which is in the program once where they are equal.
BOOST_AUTO_TEST_CASE(equal_constants_are_one) {
  const auto with = [](const Piece& file, std::int64_t value, bool place = false) {
    return object({.files = of({1}) + text(file.c_str()), .symbols = of({1}) + defined("k", local),
                   .parts = statement + (place ? label(0) : of({3, 0}) + integer(value) + of({0}))});
  };
  const auto has = [](const Image& image, const char* name) {
    comet_symbol symbol = COMET_SYMBOL_INIT;
    return comet_image_find_symbol(image.get(), name, &symbol, nullptr) == COMET_OK;
  };
  const Image same = linked({with("a.s", 5), with("b.s", 5)});
  BOOST_CHECK_EQUAL(value_of(same, "k"), 5u);
  BOOST_CHECK(!has(same, "k@a.s") && !has(same, "k@b.s"));
  const Image different = linked({with("a.s", 5), with("b.s", 6)});
  BOOST_CHECK(has(different, "k") && has(different, "k@b.s"));
  const Image mixed = linked({with("a.s", 0x10000), with("b.s", 0, true)});
  BOOST_CHECK(has(mixed, "k@b.s") || has(mixed, "k@a.s"));
  const Image place_first = linked({with("a.s", 0x20000), with("b.s", 0, true)});
  BOOST_CHECK_EQUAL(value_of(place_first, "k"), 0x10004u);
  BOOST_CHECK_EQUAL(value_of(place_first, "k@a.s"), 0x20000u);
  // What is weak gives way, and a constant is known as soon as it is defined.
  const auto bound = [](int binding, int value) {
    return object({.symbols = of({1}) + defined("k", binding),
                   .parts = of({1, 0, 0, 2, 1, 0}) + of({3, 0}) + integer(value) + of({0}) + directive(0, {symbol(0)})});
  };
  const Image weakly = linked({bound(weak, 6), bound(global, 5)});
  BOOST_CHECK_EQUAL(value_of(weakly, "k"), 5u);
  BOOST_CHECK(bytes_of(weakly) == of({5, 1, 1, 1, 1, 5, 1, 1, 1, 1}));
}

// Runs of code, and code that a macro made: each instruction's line, and where in which macro.
BOOST_AUTO_TEST_CASE(lines_and_macros_are_those_of_the_sources) {
  const Piece run = of({10, 0, 0, 2, 7, 6, 1, 0, 3, 1, 4, 9});             // x.s:1:7, then two instructions of a byte each
  const Piece made = of({7, 2, 0, 30, 2, 2}) + text("outer") + of({0, 40, 5}) + text("inner") + of({0, 50, 6});
  const Image image = linked({object({.parts = run + made})});
  const auto line = [&](std::uint64_t address) {
    comet_line found = COMET_LINE_INIT;
    SUPPORT_OK(comet_image_line_at(image.get(), address, &found, error));
    return std::pair(found.line, found.column);
  };
  BOOST_CHECK(line(0x10000) == std::pair(1u, 3u));
  BOOST_CHECK(line(0x10001) == std::pair(5u, 9u));
  BOOST_CHECK(line(0x10002) == std::pair(30u, 2u));
  comet_expansion expansion = COMET_EXPANSION_INIT;
  for (const auto& [level, macro, of_line] : {std::tuple{0u, "outer", 40u}, {1u, "inner", 50u}}) {
    SUPPORT_OK(comet_image_expansion_at(image.get(), 0x10003, level, &expansion, error));
    BOOST_CHECK_EQUAL(expansion.macro, macro);
    BOOST_CHECK_EQUAL(expansion.line, of_line);
  }
}

BOOST_AUTO_TEST_CASE(operands_are_encoded_as_their_kinds_are) {
  const auto three = [](std::int64_t value) { return of({3}) + integer(value).substr(1); };
  const Piece power = of({16 + 5}) + integer(1) + integer(64);  // 2^64, which no operand holds
  const auto code = [&](const Piece& part) { return Chunks{.parts = statement + of({4, 0, 0, 1, 5}) + part}; };
  const auto begins = [&](const Piece& part, const Piece& bytes) {
    BOOST_CHECK(bytes_of(linked({object(code(part))})).substr(0, bytes.size()) == bytes);
  };
  begins(of({3, 0, 1}) + three(5), of({3, 1, 5}));
  begins(of({3, 0, 1}) + three(-1), of({3, 1}) + leb(UINT64_MAX));
  begins(of({4, 0, 1}) + three(5), of({4, 1, 5}));
  begins(of({71, 0, 1, 0, 2}) + three(-3), of({71, 1, 2, 5}));
  begins(of({10}) + of({3}) + leb(0x20000), of({10, 0}));  // to where it stands
  begins(of({30, 0, 1, 2}) + text("ask"), of({30, 1, 0}));
  const auto says = [&](const Piece& part, const char* words) { check_says(refusal({object(code(part))}), words); };
  for (const int opcode : {3, 4}) says(of({opcode, 0, 1}) + power, "does not fit into its operand");
  says(of({4, 0, 1}) + three(-1), "does not fit into its operand");
  says(of({30, 0, 1}) + three(-1), "does not fit into its operand");
  says(of({30, 0, 1}) + of({3}) + leb(UINT64_C(1) << 33), "does not fit into its operand");
  says(of({3}) + three(2) + of({0, 1}), "a register is an expression");
  says(of({130, 1, 0, 1}) + three(2), "a register is an expression");
  says(of({9, 0, 1, 0}) + leb(UINT64_C(1) << 40), "the operands are none of this instruction");
}

BOOST_AUTO_TEST_CASE(own_instructions_take_what_is_computed) {
  // addi a, r0, b where b is 0 to 5
  const auto with = [](int value) {
    return object({.definitions = of({1}) + text("load") + leb(1024) + text("di") + text("a := b") + of({10, 1, 2, 0, 10, 1, 71, 1, 0, 0, 2}),
                   .parts = statement + of({4, 0, 0, 1, 5}) + leb(1024) + of({0, 1, 3}) + integer(value).substr(1)});
  };
  BOOST_CHECK(bytes_of(linked({with(5)})).substr(0, 4) == leb(1024) + of({1, 10}));
  check_says(refusal({with(6)}), "x.s:1:5: ");
}

// What shrinks in a later pass keeps its size, or labels might never settle.
BOOST_AUTO_TEST_CASE(an_instruction_that_shrinks_keeps_its_size) {
  // jump ahead by 100, which takes three bytes, as turns out late; 130 less the size of the jump
  Chunks chunks{.sections = of({1}) + text(".text") + of({5, 0, 102, 0}),
                .symbols = of({3}) + defined("begin", local) + defined("end", local) + defined("far", local)};
  chunks.parts = statement + label(0) + jump_to(2) + label(1) + of({4, 0, 0, 1, 5, 3, 0, 1, 4, 2}) + integer(130).substr(1) +
                 integer(1).substr(1) + symbol(0) + integer(-1).substr(1) + symbol(1) + label(2, 100);
  const Piece bytes = bytes_of(linked({object(chunks)}));
  BOOST_CHECK(bytes.substr(3, 4) == of({3, 1, 255, 0}));
}

BOOST_AUTO_TEST_CASE(a_program_begins_where_it_says_or_where_its_code_does) {
  const auto sections = [](std::initializer_list<std::pair<const char*, int>> all) {
    Piece piece = of({static_cast<int>(all.size())});
    for (const auto& [name, protection] : all) piece += text(name) + of({protection, 0, 1, 1, 1});
    return piece;
  };
  const auto entry = [&](const Piece& described, const Piece& parts = "") {
    return comet_image_entry(linked({object({.sections = described, .parts = parts})}).get());
  };
  BOOST_CHECK_EQUAL(entry(sections({{".data", 3}})), 0x10000u);
  BOOST_CHECK_EQUAL(entry(sections({{".data", 3}, {".code", 5}})), 0x20000u);
  BOOST_CHECK_EQUAL(entry(sections({{".code", 5}, {".data", 3}, {".text", 5}})), 0x30000u);
  BOOST_CHECK_EQUAL(entry(sections({{".text", 5}}), of({8}) + integer(77)), 77u);
  BOOST_CHECK_EQUAL(entry(of({0})), 0x10000u);
  BOOST_CHECK_EQUAL(entry(of({2}) + text(".text") + of({5, 0, 0, 0}) + text(".data") + of({3, 0, 1, 1, 1})), 0x20000u);
  for (const Piece& said : {of({16 + 5}) + integer(1) + integer(64), integer(-1)})
    check_says(refusal({object({.parts = of({8}) + said})}), "no address of 0 to 2^64-1");
  // The same view twice is one.
  const Piece view = of({9}) + text("x") + text("u64");
  comet_view found = COMET_VIEW_INIT;
  const Image image = linked({object({.parts = view + view})});
  SUPPORT_OK(comet_image_view(image.get(), 0, &found, error));
  const Image calling = linked({object({.parts = of({6}) + text("write") + of({6}) + text("read") + of({6}) + text("write")})});
  BOOST_CHECK_EQUAL(comet_image_import(calling.get(), 0), "write");
  BOOST_CHECK_EQUAL(comet_image_import(calling.get(), 1), "read");
  BOOST_CHECK(comet_image_import(calling.get(), 2) == nullptr);
  BOOST_CHECK_EQUAL(comet_image_view(image.get(), 1, &found, nullptr), COMET_ERROR_ARGUMENT);
}

BOOST_AUTO_TEST_CASE(chains_of_jumps_settle) {
  // Each jumps to the one 40 further on; all grow because the others do.
  constexpr int count = 100;
  Chunks chunks{.sections = of({1}) + text(".text") + of({5, 0}) + leb(2 * count) + of({0}), .symbols = leb(count), .parts = statement};
  for (int i = 0; i < count; ++i) {
    chunks.symbols += defined("l" + std::to_string(i), local);
    chunks.parts += label(i) + jump_to(std::min(i + 40, count - 1));
  }
  const Image image = linked({object(chunks)});
  for (int i = 0; i < count; ++i) {
    comet_decoded decoded = COMET_DECODED_INIT;
    const std::uint64_t at = value_of(image, ("l" + std::to_string(i)).c_str());
    const Piece bytes = bytes_of(image);
    SUPPORT_OK(comet_decode(nullptr, bytes.data() + (at - 0x10000), bytes.size() - (at - 0x10000), &decoded, error));
    const std::uint64_t field = decoded.fields[1];
    BOOST_CHECK_EQUAL(at + ((field >> 1) ^ (0 - (field & 1))), value_of(image, ("l" + std::to_string(std::min(i + 40, count - 1))).c_str()));
  }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_told_with_source_object_and_section) {
  check_says(refusal({object(calls)}), "x.s:1:5: no object defines the label \"f\" (in f1.o, section \".text\")");
  Chunks own = defines;
  own.symbols = of({1}) + defined("f", local, 7);
  check_says(refusal({object(calls), object(own)}), "; there is one in x.s:7:1 in f2.o, where .global is missing");
  own.symbols = of({3}) + defined("e", local) + defined("f", hidden) + needed("f");
  BOOST_CHECK_EQUAL(refusal({object(calls), object(own)}).find("there is one in"), Piece::npos);
  check_says(refusal({object({.sections = of({0}), .symbols = of({1}) + needed("f"), .parts = of({8}) + symbol(0)})}),
             "no source file:0:0: no object defines the label \"f\" (in f1.o, section none)");
  check_says(refusal({object(calls), object(defines), object(defines)}),
             "x.s:1:1 in f3.o: the label \"f\" is defined already, at x.s:1:1 in f2.o; one of them can be .weak or not .global");
  check_says(refusal({object(calls), object(defines)}, "nowhere"), "the entry \"nowhere\" is not defined in any object");
  check_says(refusal({}), "there is nothing to link; add objects first");
  Chunks writable = defines;
  writable.sections = of({1}) + text(".text") + of({7, 0, 4, 4, 1, 1, 1, 1});
  check_says(refusal({object(calls), object(writable)}), "f2.o: the section \".text\" has another protection or address");
  Chunks placed = writable, elsewhere = writable;
  placed.sections = of({1}) + text(".data") + of({3, 2, 0, 1, 1, 7});
  elsewhere.sections = of({1}) + text(".data") + of({3, 2, 8, 1, 1, 7});
  placed.symbols = elsewhere.symbols = of({0}), placed.parts = elsewhere.parts = "";
  check_says(refusal({object(placed), object(elsewhere)}), "f2.o: the section \".data\" has another protection or address");
  BOOST_CHECK(bytes_of(linked({object(placed), object(placed)})) == of({7, 7}));
  elsewhere.sections = of({1}) + text(".data") + of({3, 0, 1, 1, 9});
  BOOST_CHECK(bytes_of(linked({object(placed), object(elsewhere)})) == of({7, 9}));
  elsewhere.sections = of({2}) + text(".none") + of({3, 0, 0, 0}) + text(".over") + of({3, 2, 0, 1, 1, 9});
  check_says(refusal({object(placed), object(elsewhere)}), "overlap");
  Chunks high = defines;
  high.sections = of({1}) + text(".high") + of({5, 2}) + leb(UINT64_MAX) + of({4, 4, 1, 1, 1, 1});
  check_says(refusal({object(high)}), "the section \".high\" ends behind the address space");
  Chunks large = defines;
  large.sections = of({1}) + text(".bss") + of({3, 0}) + leb(1 << 30) + of({0});
  large.symbols = of({0}), large.parts = "";
  check_says(refusal({object(large), object(defines)}), "bytes of memory: the sections together may have 2^30");
  check_says(refusal({object(large), object(large)}), "the section would have more than 2^30 bytes");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told) {
  Chunks chunks{.symbols = of({2}) + defined("x", local) + defined("y", global)};
  const auto says = [&](const Piece& parts, const char* words) {
    chunks.parts = statement + label(0) + of({3, 1}) + integer(0) + of({0}) + parts;
    check_says(refusal({object(chunks)}), words);
  };
  says(directive(0, {symbol(0)}), "x.s:1:1: the number does not fit into its bytes");
  says(directive(4, {integer(-1)}), "the number does not fit into 64 bits");
  says(directive(6, {integer(-1)}), "it would take less than nothing or more than 2^30 bytes");
  says(directive(6, {integer(1), integer(256)}), "a byte to fill with is none");
  says(directive(8, {integer(1), integer(3)}), "`.fill` repeats values of 1, 2, 4 or 8 bytes");
  says(directive(8, {integer(1 << 28), integer(2), integer(1)}), "it would take more than 2^28 bytes in the image");
  says(directive(6, {integer((1 << 28) + 1), integer(1)}), "the section would have more than 2^28 bytes in the image");
  says(directive(6, {integer(1 << 28)}), "the section would have more than 2^28 bytes in the image");
  says(directive(9, {integer(3)}), "`.align` expects a power of two up to 65536");
  says(directive(10, {integer(5)}), "`.org` cannot go back");
  says(directive(11, {integer(0)}), "what was asserted is false");
  says(directive(11, {integer(0), of({5}) + text("too large")}), ": too large (in ");
  says(directive(11, {integer(0), of({5}) + text("\x1b[2J")}), ": \"\\x1b[2J\" (in ");
  says(directive(11, {operation(14, symbol(0), integer(0)), of({5}) + text("too high")}), "x.s:1:1: too high (in f1.o");
  says(directive(0, {operation(2, symbol(0), integer(0))}), "division by zero");
  says(directive(0, {operation(1, symbol(0), integer(7))}), "a quotient is no integer");
  says(directive(0, {operation(5, symbol(0), integer(126))}), "a shift by more than 125 bits");
  says(directive(0, {operation(5, symbol(0), integer(120))}), "a value has more than the 125 bits");
  says(of({3, 1}) + operation(5, symbol(0), integer(60)) + of({0}), "a value does not fit into 64 bits");
  says(of({3, 1}) + of({4, 1}) + integer(5).substr(1) + leb(2) + operation(5, symbol(0), integer(107)) + of({0}), "a value");
  Piece sum = of({4, 4}) + integer(5).substr(1);
  for (int n = 0; n < 4; ++n) sum += leb(2) + operation(5, symbol(0), integer(107));
  says(of({3, 1}) + sum + of({0}), "more than the 125 bits");
  chunks.parts = statement + label(0) + of({3, 1, 4, 1, 2, 2}) + symbol(1) + of({0}) + jump_to(0);
  check_says(refusal({object(chunks)}), "the labels do not settle: after 1020 passes they still move");
  says(of({8}) + integer(-1), "the entry that an object gives is no address of 0 to 2^64-1");
  says(of({9}) + text("x") + text("u64") + of({9}) + text("x") + text("u32"), "there is another view already of \"x\"");
  says(of({4, 0, 0, 1, 1, 10}) + operation(5, symbol(0), integer(60)),
       "a number does not fit into its operand");
}

BOOST_AUTO_TEST_CASE(damaged_objects_are_refused_with_the_place) {
  const Piece good = object(defines);
  check_says(refusal({"nothing"}), "f1.o: not a valid object: header, offset 0: the beginning takes 8 bytes but 7 are left");
  check_says(refusal({Piece(200, 'x')}), "this is neither an object nor an archive; comet-vm asm -c makes objects of sources");
  const auto changed = [&](std::size_t at, char byte) {
    Piece file = good.substr(0, good.size() - 8);
    file[at] = byte;
    return refusal({sealed(file)});
  };
  check_says(changed(8, 2), "offset 8: its format has another version than 1");
  check_says(changed(12, 4), "offset 12: it has not five chunks");
  check_says(changed(16, 1), "offset 16: it has another length than it says");
  check_says(changed(24, 'G'), "offset 24: here stands another chunk than it should");
  check_says(changed(28, 1), "offset 24: here stands another chunk than it should");
  check_says(changed(32, 1), "offset 32: a chunk does not lie behind the one before it");
  check_says(changed(47, 1), "offset 32: a chunk does not lie behind the one before it");
  check_says(changed(144 + 6, 1), "is not 0");
  Piece file = good;
  file.back() ^= 1;
  check_says(refusal({file}), "the checksum is wrong");
  Piece brief = good.substr(0, 30);
  brief.replace(16, 8, little(30, 8));
  check_says(refusal({brief}), "it ends within its table of chunks");
  Piece longer = good.substr(0, good.size() - 8) + little(0, 8);
  longer.replace(16, 8, little(longer.size() + 8, 8));
  check_says(refusal({sealed(longer)}), "bytes stand behind the last chunk");
}

BOOST_AUTO_TEST_CASE(records_that_make_no_sense_are_refused) {
  const auto says = [](const Chunks& chunks, const char* words) { check_says(refusal({object(chunks)}), words); };
  const Piece nop = of({1}) + text(".text") + of({5, 0, 1, 1, 1}), twice = of({2}) + nop.substr(1) + nop.substr(1);
  says({.sections = twice}, "a section appears twice");
  says({.sections = of({1}) + text(".text") + of({5, 0, 0, 1, 1})}, "a section has more bytes than room");
  says({.sections = of({2}) + text("a") + of({1, 0}) + leb(1 << 30) + of({0}) + text("b") + of({1, 0, 1, 0})},
       "the sections together take more than 2^30 bytes");
  says({.sections = of({1}) + text(".text") + of({8, 0, 0, 0})}, "a protection is 8, expected less than 8");
  for (const int flags : {0, 3, 7, 13, 14})
    says({.symbols = of({1}) + text("x") + of({flags, 0, 1, 1})}, "a symbol contradicts itself");
  says({.symbols = of({2}) + needed("x") + needed("x")}, "a symbol appears twice");
  says({.symbols = of({1}) + text("\x01") + of({1})}, "a symbol's name is empty, too long, or no UTF-8 without control characters");
  says({.symbols = of({1}) + defined("x", global)}, "f1.o: not a valid object: nothing defines symbol 0");
  says({.definitions = of({1}) + text("x") + leb(1024) + text("q") + text("nothing") + of({2, 0, 0})}, "chunk DEFN, offset");
  const Chunks one{.symbols = of({2}) + defined("x", local) + needed("y")};
  const auto part = [&](const Piece& parts, const char* words) {
    Chunks chunks = one;
    chunks.parts = statement + label(0) + parts;
    says(chunks, words);
  };
  part(of({11}), "there is no such part");
  part(of({0, 1}), "the number of a section is 1, expected less than 1");
  part(of({1, 5}), "it lies behind the end of its section");
  part(label(1), "it defines a symbol that is said to be elsewhere");
  part(of({5, 0, 5}), "it goes beyond the end of its section");
  part(of({1, 0, 0, 5, 1, 1}), "there is no such line");
  part(of({4, 0, 0, 1, 1}) + leb(1000000), "there is no such instruction");
  part(of({4, 0, 0, 1, 1}) + leb(2) + symbol(0) + symbol(0), "a register is an expression");
  part(directive(6, {}), "a directive has too few or too many operands");
  part(directive(11, {integer(1), integer(1)}), "an operand of .assert is of the wrong kind");
  part(directive(12, {}), "the number of a directive is 12, expected less than 12");
  part(directive(0, {of({7, 0})}), "there is no such expression");
  Piece deep;
  for (int i = 0; i < 1001; ++i) deep += of({25});
  part(directive(0, {deep + integer(1)}), "an expression has more than 1000 parts");
  part(directive(0, {of({0}) + Piece(18, '\xff') + of({1})}), "a number has more than the 126 bits");
  Chunks empty{.sections = of({0}), .symbols = of({1}) + defined("x", local), .parts = statement + label(0)};
  says(empty, "there is no section for it");
}

BOOST_AUTO_TEST_CASE(damaged_archives_are_refused_with_the_place) {
  const Piece good = archive({{"m.o/", object(defines)}});
  check_says(refusal({good.substr(0, 40)}), "not a valid archive: f1.o, offset 8: a member's header takes 60 bytes but 32 are left");
  check_says(refusal({good.substr(0, 66) + "xx" + good.substr(68)}), "the header of a member does not end as it should");
  check_says(refusal({good.substr(0, 56) + "x" + good.substr(57)}), "a number in the header of a member is none");
  check_says(refusal({archive({{"m.o/", "text"}})}), "f1.o(m.o)");
  for (const Piece& name : {Piece(), Piece(256, 'm'), Piece("m\x1b.o")})
    check_says(refusal({archive({{"//", "x/\n" + name + "/\n"}, {"/3", object(defines)}})}), "the name of a member is no file's");
}

BOOST_AUTO_TEST_CASE(objects_agree_on_instructions) {
  // Bodies of instructions of the table: nop, nop and nop, imm.
  const Piece nop = of({3, 0, 1, 1}), two_nops = of({4, 0, 2, 1, 1}), imm = of({6, 0, 1, 3, 1, 0, 5});
  const auto with = [](const char* name, std::uint64_t opcode, const char* operands, const Piece& body) {
    return object({.definitions = of({1}) + text(name) + leb(opcode) + text(operands) + text("nothing") + body});
  };
  const Piece first = with("twice", 1024, "", nop);
  comet_definition definition = COMET_DEFINITION_INIT;
  SUPPORT_OK(comet_isa_definition(comet_image_isa(linked({first, first}).get()), 0, &definition, error));
  for (const Piece& other : {with("twice", 1024, "", two_nops), with("twice", 1024, "d", imm), with("twice", 1025, "", nop)})
    check_says(refusal({first, other}), "f2.o: the instruction \"twice\" (opcode");
  check_says(refusal({first, with("thrice", 1024, "", nop)}), "f2.o: the instruction \"thrice\" (opcode 1024) is another one than in an object before it");
}

BOOST_AUTO_TEST_SUITE_END()
