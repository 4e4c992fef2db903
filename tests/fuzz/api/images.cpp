// Images.
#include "call.h"

namespace fuzz {

namespace {

comet_image* program_image(const program& what) {
  comet_image* image = nullptr;
  comet_error error = COMET_ERROR_INIT;
  if (comet_image_new(&image, &error) != COMET_OK) throw broken_promise(error.message);
  comet_image_add_section(image, ".text", what.address, what.code.data(), what.code.size(), what.code.size(),
                          7, nullptr);
  comet_image_add_section(image, ".data", 0x20000, nullptr, 0, COMET_PAGE_SIZE, 3, nullptr);
  comet_image_add_symbol(image, "main", what.address, nullptr);
  comet_image_set_entry(image, what.address, nullptr);
  return image;
}

}  // namespace

void api_calls::images() {
  if (images_.size() < 2) images_.push_back(program_image(random_program()));
  comet_image* const image = any_of(images_);
  const std::uint64_t where = address(), long_ = random_.below(300),
                      more = random_.one_in(4) ? awkward() : long_;
  const int access = protection();
  const char* const name = host_name();
  const std::uint32_t line = static_cast<std::uint32_t>(random_.one_in(8) ? awkward() : random_.below(90));
  const std::size_t n = random_.one_in(8) ? awkward() : random_.below(3);
  switch (random_.below(10)) {
    case 0: CALL(comet_image_add_section, image, name, where, buffer_.data(), long_, more, access); break;
    case 1: CALL(comet_image_add_symbol, image, name, where); break;
    case 2: CALL(comet_image_add_line, image, where, name, line, line); break;
    case 3: CALL(comet_image_add_expansion, image, where, name, name, line, 0); break;
    case 4: CALL(comet_image_add_view, image, name, "u64"); break;
    case 5: CALL(comet_image_add_import, image, name); break;
    case 6: {
      comet_section section = COMET_SECTION_INIT;
      comet_symbol symbol = COMET_SYMBOL_INIT;
      comet_line place = COMET_LINE_INIT;
      CALL(comet_image_section, image, n, at(section));
      CALL(comet_image_symbol, image, n, at(symbol));
      CALL(comet_image_find_symbol, image, name, at(symbol));
      CALL(comet_image_symbol_at, image, where, at(symbol));
      CALL(comet_image_line_at, image, where, at(place));
      char text[100];
      note(comet_describe_place(image, where, text, random_.below(sizeof text)));
      break;
    }
    case 7: {
      const std::uint8_t* bytes = nullptr;
      std::size_t written = 0;
      comet_image* read = nullptr;
      if (CALL(comet_image_write, image, at(bytes), &written) != COMET_OK) break;
      const comet_status status = CALL(comet_image_read, bytes, written, &read);
      require(status == COMET_OK, "comet_image_read", "what was written can be read");
      comet_image_free(read);
      break;
    }
    default: {
      comet_machine* const on = any_made();
      const comet_space in = random_.one_in(3) ? space() : 0;
      call("comet_image_load", on,
           [&](comet_error* error) { return comet_image_load(image, on, in, error); });
    }
  }
  if (random_.one_in(12) && !images_.empty()) {
    comet_image_free(images_.back());
    images_.pop_back();
  }
}

}  // namespace fuzz
