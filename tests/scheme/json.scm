(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/json)
(use scheme-lib/base64)

(test-group "JSON is read"
  (test "an object keeps names, values and order" '(("b" . 1) ("a" . #(#t #f null)))
        (text->json "{\"b\": 1, \"a\":[true,false,null]}"))
  (test "empty ones" '#(() #() "") (text->json " [ { } , [ ] , \"\" ] "))
  (test "integers are exact, whatever their size" 123456789012345678901234567890
        (text->json "123456789012345678901234567890"))
  (test "-0 is an integer" 0 (text->json "-0"))
  (test "fractions and exponents are flonums" '#(.5 -150. 1e-3) (text->json "[0.5, -1.5E2, 1e-3]"))
  (test "escapes" "\"\\/\b\f\n\r\té" (text->json "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""))
  (test "two surrogates are one character" (string (integer->char #x1F600)) (text->json "\"\\ud83d\\uDE00\""))
  (test "half a pair is none" (list->string (map integer->char '(#xFFFD 65 #xFFFD #xFFFD 8364)))
        (text->json "\"\\ud83dA\\udE00\\ud83d\\u20ac\""))
  (test "the first of two members of one name counts" 1 (json-ref (text->json "{\"a\":1,\"a\":2}") "a"))
  (test "a member that is not there has the default" '(#f 7) (list (json-ref '() "a") (json-ref '(("b" . 1)) "a" 7)))
  (test "what is no object has no members" 'none (json-ref 5 "a" 'none)))

(test-group "JSON that is none"
  (test-error "nothing" "character 2: the text ends where a value is expected" (text->json " "))
  (test-error "an unknown word" "no value begins with `t`" (text->json "tru"))
  (test-error "a second value" "character 3: something follows the value" (text->json "1 2"))
  (test-error "a missing colon" "`:` is expected" (text->json "{\"a\" 1}"))
  (test-error "a missing bracket" "character 3: `]` is expected" (text->json "[1"))
  (test-error "a comma too much" "no value begins with `]`" (text->json "[1,]"))
  (test-error "a comma too much in an object" "`\"` is expected" (text->json "{\"a\":1,}"))
  (test-error "a string without end" "the text ends within a string" (text->json "\"ab"))
  (test-error "a newline in a string" "a control character within a string" (text->json "\"a\nb\""))
  (test-error "an unknown escape" "no escape is written \\x" (text->json "\"\\x41\""))
  (test-error "a short escape" "four hexadecimal digits" (text->json "\"\\u00g0\""))
  (test-error "an escape with a sign" "four hexadecimal digits" (text->json "\"\\u-001\""))
  (test-error "a bare point" "a digit is expected" (text->json "1."))
  (test-error "a leading zero" "something follows" (text->json "01"))
  (test-error "a bare sign" "a digit is expected" (text->json "-"))
  (test-error "a number beyond all flonums" "the number is too large" (text->json "1e999"))
  (test-error "an exponent that would take for ever" "digits, or with a far exponent" (text->json "1e999999999"))
  (test-error "a number of a million digits" "a number of more than 400 digits"
              (text->json (make-string 1000000 #\9)))
  (test "nesting up to the limit" 200
        (let loop ((value (text->json (text (string-repeat "[" 200) (string-repeat "]" 200)))) (depth 1))
                                        (if (= 0 (vector-length value)) depth
                                            (loop (vector-ref value 0) (+ depth 1)))))
  (test-error "nesting beyond it" "nested deeper than 200 levels" (text->json (string-repeat "[" 201)))
  (test-error "a million brackets" "nested deeper" (text->json (make-string 1000000 #\[))))

(test-group "JSON is written"
  (test "all kinds" "{\"a\":[1,true,false,null,{},[]],\"b\":\"x\"}"
        (json->text (json-object "a" (vector 1 #t #f 'null '() (vector)) "b" "x")))
  (test "a member without a value is left out" "{\"b\":2}" (json->text (json-object "a" (void) "b" 2)))
  (test "control characters, quotes and backslashes are escaped" "\"\\\"\\\\\\n\\r\\t\\u0000\\u001b\\u007fé\""
        (json->text (list->string (map integer->char '(34 92 10 13 9 0 27 127 233)))))
  (test "flonums have the digits that JSON wants" "[0.5,-0.5,5.0,1e100,-1.5e-7]"
        (json->text '#(.5 -.5 5. 1e100 -1.5e-7)))
  (test "large integers are whole" "18446744073709551615" (json->text (- (expt 2 64) 1)))
  (test-error "a symbol" "no way to write" (json->text 'a))
  (test-error "a fraction" "no way to write the number" (json->text 1/2))
  (test-error "an infinity" "no way to write the number" (json->text +inf.0))
  (test "what is written is read" '(("a" . "b\n\"") ("c" . #(1 2.5 ())))
        (text->json (json->text '(("a" . "b\n\"") ("c" . #(1 2.5 ())))))))

;; Random damage to a valid text gives a value or an error, and nothing else.
(test-group "damaged JSON"
  (let ((source "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\",{\"b\":null}],\"c\":true}") (state 1))
    (define (next n) (set! state (modulo (+ (* 1103515245 state) 12345) 2147483648))
      (modulo (quotient state 65536) n))
    (define (damaged)
      (let ((copy (string-append source)))
        (for-each (lambda (i)
                    (string-set! copy (next (string-length copy))
                                 (string-ref "{}[]\",:\\u0e-.tn1 " (next 17)))) (iota (+ 1 (next 3))))
        (substring copy 0 (- (string-length copy) (next 4)))))
    (test "gives a value or an error with a place" '()
          (filter-map (lambda (i)
                        (let ((text (damaged)))
                          (with-exception-catcher
                           (lambda (exception)
                             (if (string-prefix? "JSON, character " (exception->text exception)) #f
                                 (list text (exception->text exception))))
                           (lambda () (text->json (json->text (text->json text))) #f))))
                      (iota 2000)))))

(test-group "base 64"
  (test "of bytes" '("" "Zg==" "Zm8=" "Zm9v" "Zm9vYg==" "/+8=")
        (map u8vector->base64
             (list (u8vector) (string->utf8 "f") (string->utf8 "fo") (string->utf8 "foo") (string->utf8 "foob")
                   (u8vector 255 239))))
  (test "and back" '(#u8() #u8(102) #u8(102 111) #u8(102 111 111) #u8(255 239))
        (map base64->u8vector '("" "Zg==" "Zm8=" "Zm9v" "/+8=")))
  (test-error "a letter that is none" "no text in base 64" (base64->u8vector "Zm9!"))
  (test-error "a length that is none" "no text in base 64" (base64->u8vector "Zm9"))
  (test-error "padding within" "no text in base 64" (base64->u8vector "Z=9v")))
