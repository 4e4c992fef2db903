// Objects and archives to an image, as `comet-vm link` makes it, byte for byte.
//
// An object holds no bytes with holes but parts with expressions, because fields have no fixed width. Linking goes
// over the parts pass by pass until nothing moves: each pass lays everything out by the sizes of the one before, and
// sizes grow, never shrink. Then one more pass writes the bytes.
#pragma once

#include <string_view>
#include <vector>

#include "image.h"
#include "object.h"

namespace comet {

namespace linking {
class Link;
}

class Linker {
 public:
  // An object or an archive; what is wrong with it is COMET_ERROR_FORMAT, and leaves it out.
  void add(std::string_view name, const uint8_t* bytes, size_t length);
  // Fills an empty image; COMET_ERROR_FORMAT where the objects do not make a program. entry: empty for what the
  // objects say, _start, main, or the beginning of the code.
  void link(std::string_view entry, Image& image) const;

 private:
  struct Input {
    bool archive;
    std::vector<std::unique_ptr<Object>> objects;
  };
  std::vector<Input> inputs_;

  friend class linking::Link;
};

}  // namespace comet

struct comet_linker {
  comet::Linker linker;
};
