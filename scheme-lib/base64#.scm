;; scheme-lib/base64: bytes as text (RFC 4648).
(##namespace ("scheme-lib/base64#" u8vector->base64 base64->u8vector))
