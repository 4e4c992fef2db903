;; scheme-lib/json: JSON as Scheme data.

(##namespace
 ("scheme-lib/json#"
  text->json json->text json-object json-ref json-object? json-depth-limit))
