// The image part of the C API. Everything that touches a machine goes through the C API itself.
#include <algorithm>
#include <cinttypes>
#include <memory>
#include <vector>

#include "../comet.h"
#include "../host/host_state.h"
#include "../image/checksum.h"
#include "../image/image.h"
#include "../image/linker.h"
#include "../image/text.h"
#include "definition.h"
#include "guard.h"

namespace comet {
namespace {

// Calls a function of the C API from inside the library: its error goes on as a Failure.
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
  comet_error error = COMET_ERROR_INIT;
  const comet_status status = function(arguments..., &error);
  if (status != COMET_OK) fail(status, error.address, "%s", error.message);
}

template <class Parts>
const auto& part(const Parts& parts, size_t n, const char* what) {
  if (n >= parts.size()) {
    fail(COMET_ERROR_ARGUMENT, 0, "the image has no %s number %zu; it has %zu, counted from 0", what, n,
         parts.size());
  }
  return parts[n];
}

comet_symbol shown(const Symbol& symbol) {
  return {sizeof(comet_symbol), symbol.first.c_str(), symbol.second};
}

comet_line shown(const Line& line) {
  return {sizeof(comet_line), line.address, line.file->c_str(), line.line, line.column};
}

comet_expansion shown(const Expansion& expansion) {
  return {sizeof(comet_expansion), expansion.address, expansion.macro->c_str(), expansion.file->c_str(),
          expansion.line, expansion.column};
}

// Also for an image without sections.
void check_space(const comet_machine* machine, comet_space space) {
  comet_region region = COMET_REGION_INIT;
  comet_error error = COMET_ERROR_INIT;
  const comet_status status = comet_next_region(machine, space, 0, &region, &error);
  if (status != COMET_OK && status != COMET_ERROR_ADDRESS) fail(status, error.address, "%s", error.message);
}

// Every import is granted, and the machine's import list agrees as far as both go. An image has each name
// once, so those behind the end of the machine's list are new to it.
void check_imports(const Image& image, const comet_machine* machine) {
  for (size_t i = 0; i < image.imports().size(); ++i) {
    const std::string& name = *image.imports()[i];
    if (!host_granted(machine, name.c_str())) {
      fail(COMET_ERROR_CAPABILITY, 0,
           "the image needs the host call %s, which this machine was not given; grant it if the program may "
           "have it",
           quoted(name).c_str());
    }
    const char* present = comet_host_import_name(machine, static_cast<uint32_t>(i));
    if (present != nullptr && name != present) {
      fail(COMET_ERROR_STATE, 0,
           "the image's import number %zu is %s but the machine's is %s; reset the machine before loading", i,
           quoted(name).c_str(), quoted(present).c_str());
    }
  }
}

struct Range {
  uint64_t first;
  uint64_t last;  // inclusive, so that the end of the address space needs no special case
};

// The parts of a range that are mapped now.
std::vector<Range> mapped_parts(const comet_machine* machine, comet_space space, Range range) {
  std::vector<Range> parts;
  uint64_t from = range.first;
  for (;;) {
    comet_region region = COMET_REGION_INIT;
    if (comet_next_region(machine, space, from, &region, nullptr) != COMET_OK) return parts;
    const uint64_t region_last = region.address + (region.length - 1);
    if (region.address > range.last) return parts;
    parts.push_back({std::max(region.address, range.first), std::min(region_last, range.last)});
    if (region_last >= range.last) return parts;
    from = region_last + 1;
  }
}

void write_zeros(comet_machine* machine, comet_space space, Range range) {
  static uint8_t zeros[4096];  // never written; if it were const, the library would hold it
  uint64_t address = range.first;
  for (;;) {
    const uint64_t left = range.last - address;  // one less than the number of bytes
    const size_t length = static_cast<size_t>(std::min<uint64_t>(left, sizeof zeros - 1)) + 1;
    call(comet_write, machine, space, address, static_cast<const void*>(zeros), length);
    if (left < sizeof zeros) return;
    address += length;
  }
}

void load_section(const Section& section, comet_machine* machine, comet_space space) {
  if (section.memory_length == 0) return;
  // Pages that are new are zero already; touching them would only cost memory.
  std::vector<Range> old;
  if (section.memory_length > section.bytes.size()) {
    old =
        mapped_parts(machine, space,
                     {section.address + section.bytes.size(), section.address + (section.memory_length - 1)});
  }
  call(comet_map, machine, space, section.address, section.memory_length, section.protection);
  if (!section.bytes.empty()) {
    call(comet_write, machine, space, section.address, static_cast<const void*>(section.bytes.data()),
         section.bytes.size());
  }
  for (const Range& range : old) write_zeros(machine, space, range);
}

void load(const Image& image, comet_machine* machine, comet_space space) {
  for (const Section& section : image.sections()) load_section(section, machine, space);
  for (const auto& each : image.isa().definitions.all()) {
    const comet_definition definition = {sizeof definition, each->name.c_str(), each->opcode, each->operands.c_str(), each->meaning.c_str(),
                                         each->body.data(), each->body.size(), nullptr};
    call(comet_machine_define, machine, &definition);
  }
  for (const std::string* name : image.imports()) {
    uint32_t index = 0;
    call(comet_host_import, machine, name->c_str(), &index);
  }
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  call(comet_thread_get, static_cast<const comet_machine*>(machine), comet_thread{0}, &info);
  if (info.space == space) call(comet_thread_restart, machine, comet_thread{0}, image.entry());
}

}  // namespace
}  // namespace comet

using comet::fail;
using comet::give;
using comet::guard;
using comet::require;

uint64_t comet_checksum(const void* bytes, size_t length) {
  return comet::checksum_of(static_cast<const uint8_t*>(bytes), length);
}

comet_status comet_image_read(const void* bytes, size_t length, comet_image** image, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    if (length > 0) require(bytes, "bytes");
    auto made = std::make_unique<comet_image>();
    comet::read_image(static_cast<const uint8_t*>(bytes), length, made->image);
    *image = made.release();
  });
}

comet_status comet_image_new(comet_image** image, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    *image = std::make_unique<comet_image>().release();
  });
}

void comet_image_free(comet_image* image) { delete image; }

comet_status comet_image_add_section(comet_image* image, const char* name, uint64_t address,
                                     const void* bytes, size_t length, uint64_t memory_length, int protection,
                                     comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(name, "name");
    if (length > 0) require(bytes, "bytes");
    image->image.add_section(name, address, static_cast<const uint8_t*>(bytes), length, memory_length,
                             protection);
  });
}

comet_status comet_image_add_symbol(comet_image* image, const char* name, uint64_t value,
                                    comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(name, "name");
    image->image.add_symbol(name, value);
  });
}

comet_status comet_image_add_line(comet_image* image, uint64_t address, const char* file, uint32_t line,
                                  uint32_t column, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(file, "file");
    image->image.add_line(address, image->image.add_file(file), line, column);
  });
}

comet_status comet_image_add_expansion(comet_image* image, uint64_t address, const char* macro,
                                       const char* file, uint32_t line, uint32_t column, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(macro, "macro");
    require(file, "file");
    image->image.add_expansion(address, macro, file, line, column);
  });
}

comet_status comet_image_add_view(comet_image* image, const char* name, const char* description,
                                  comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(name, "name");
    require(description, "description");
    image->image.add_view(name, description);
  });
}

comet_status comet_image_add_import(comet_image* image, const char* name, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(name, "name");
    image->image.add_import(name);
  });
}

comet_status comet_image_set_entry(comet_image* image, uint64_t address, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    image->image.set_entry(address);
  });
}

comet_status comet_image_write(comet_image* image, const uint8_t** bytes, size_t* length,
                               comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(bytes, "bytes");
    require(length, "length");
    const std::vector<uint8_t>& written = image->image.write();
    *bytes = written.data();
    *length = written.size();
  });
}

comet_status comet_image_section(const comet_image* image, size_t n, comet_section* section,
                                 comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    const comet::Section& found = comet::part(image->image.sections(), n, "section");
    give(section,
         comet_section{sizeof(comet_section), found.name.c_str(), found.address, found.bytes.data(),
                       found.bytes.size(), found.memory_length, found.protection},
         "section");
  });
}

comet_status comet_image_symbol(const comet_image* image, size_t n, comet_symbol* symbol,
                                comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    give(symbol, comet::shown(*comet::part(image->image.symbols(), n, "symbol")), "symbol");
  });
}

comet_status comet_image_line(const comet_image* image, size_t n, comet_line* line, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    give(line, comet::shown(comet::part(image->image.lines(), n, "source line")), "line");
  });
}

comet_status comet_image_expansion(const comet_image* image, size_t n, comet_expansion* expansion,
                                   comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    give(expansion, comet::shown(comet::part(image->image.expansions(), n, "expansion")), "expansion");
  });
}

comet_status comet_image_view(const comet_image* image, size_t n, comet_view* view, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    const comet::View& found = comet::part(image->image.views(), n, "view");
    give(view, comet_view{sizeof(comet_view), found.name.c_str(), found.description.c_str()}, "view");
  });
}

const char* comet_image_import(const comet_image* image, size_t n) {
  if (image == nullptr || n >= image->image.imports().size()) return nullptr;
  return image->image.imports()[n]->c_str();
}

comet_status comet_image_add_instruction(comet_image* image, const comet_definition* definition, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    image->image.add_instruction(comet::checked_definition(definition));
  });
}

const comet_isa* comet_image_isa(const comet_image* image) { return image == nullptr ? nullptr : &image->image.isa(); }

uint64_t comet_image_entry(const comet_image* image) { return image == nullptr ? 0 : image->image.entry(); }

comet_status comet_image_find_symbol(const comet_image* image, const char* name, comet_symbol* symbol,
                                     comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(name, "name");
    const comet::Symbol* found = image->image.find_symbol(name);
    if (found == nullptr) {
      fail(COMET_ERROR_ADDRESS, 0, "the image has no symbol %s; comet_image_symbol lists those that it has",
           comet::quoted(name).c_str());
    }
    give(symbol, comet::shown(*found), "symbol");
  });
}

comet_status comet_image_symbol_at(const comet_image* image, uint64_t address, comet_symbol* symbol,
                                   comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    const comet::Symbol* found = image->image.symbol_at(address);
    if (found == nullptr) {
      fail(COMET_ERROR_ADDRESS, address,
           "the image has no symbol at or before 0x%" PRIx64 " in a section that holds it", address);
    }
    give(symbol, comet::shown(*found), "symbol");
  });
}

comet_status comet_image_line_at(const comet_image* image, uint64_t address, comet_line* line,
                                 comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    const comet::Line* found = image->image.line_at(address);
    if (found == nullptr) {
      fail(COMET_ERROR_ADDRESS, address, "the image has no source line for 0x%" PRIx64, address);
    }
    give(line, comet::shown(*found), "line");
  });
}

comet_status comet_image_expansion_at(const comet_image* image, uint64_t address, size_t level,
                                      comet_expansion* expansion, comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    const comet::Expansion* found = image->image.expansion_at(address, level);
    if (found == nullptr) {
      fail(COMET_ERROR_ADDRESS, address, "the image has no expansion of level %zu for 0x%" PRIx64, level,
           address);
    }
    give(expansion, comet::shown(*found), "expansion");
  });
}

comet_status comet_image_load(const comet_image* image, comet_machine* machine, comet_space space,
                              comet_error* error) {
  return guard(error, [&] {
    require(image, "image");
    require(machine, "machine");
    comet::host_require_no_run(machine, "load an image");
    comet::check_space(machine, space);
    comet::check_imports(image->image, machine);
    // What fails later, such as the memory limit, leaves no trace: the machine goes back to where it was.
    comet_snapshot* before = nullptr;
    comet::call(comet_snapshot_take, machine, &before);
    try {
      comet::load(image->image, machine, space);
    } catch (...) {
      comet_snapshot_restore(machine, before, nullptr);
      comet_snapshot_free(machine, before);
      throw;
    }
    comet_snapshot_free(machine, before);
  });
}

comet_status comet_linker_new(comet_linker** linker, comet_error* error) {
  return guard(error, [&] {
    require(linker, "linker");
    *linker = std::make_unique<comet_linker>().release();
  });
}

void comet_linker_free(comet_linker* linker) { delete linker; }

comet_status comet_linker_add(comet_linker* linker, const char* name, const void* bytes, size_t length,
                              comet_error* error) {
  return guard(error, [&] {
    require(linker, "linker");
    require(name, "name");
    if (length > 0) require(bytes, "bytes");
    linker->linker.add(name, static_cast<const uint8_t*>(bytes), length);
  });
}

comet_status comet_linker_link(const comet_linker* linker, const char* entry, comet_image** image,
                               comet_error* error) {
  return guard(error, [&] {
    require(linker, "linker");
    require(image, "image");
    auto made = std::make_unique<comet_image>();
    linker->linker.link(entry == nullptr ? "" : entry, made->image);
    *image = made.release();
  });
}
