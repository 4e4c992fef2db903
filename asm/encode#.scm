;; asm/encode: values into the fields of an instruction.
(##namespace ("asm/encode#"
  encode-field encode-relative constant-field constant-bytes join-fields fields-length
  make-bits bits? bits-value
  register-limit thread-register-limit))
