;; scheme-lib/leb128: LEB128 and zig-zag.
(##namespace ("scheme-lib/leb128#"
  uleb128-length uleb128-put! uleb128-bytes sleb128-bytes zigzag unzigzag))
