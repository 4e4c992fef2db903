(use scheme-lib/test)
(use scheme-lib/util)

(test-group "lists"
  (test "filter keeps the order" '(2 4) (filter even? '(1 2 3 4)))
  (test "remove is the rest of filter" '(1 3) (remove even? '(1 2 3 4)))
  (test "any gives the first true value" 20 (any (lambda (x) (and (> x 1) (* 10 x))) '(1 2 3)))
  (test "any of several lists stops at the shortest" #f (any > '(1 2) '(3 4 5)))
  (test "every of nothing is true" #t (every even? '()))
  (test "every gives the last value" 4 (every (lambda (x) (* 2 x)) '(1 2)))
  (test "delete takes out all that are equal" '("b") (delete "a" '("a" "b" "a")))
  (test "delete-duplicates keeps the first of each" '(1 2 3) (delete-duplicates '(1 2 1 3 2)))
  (test "reduce of an empty list is the initial value" 0 (reduce + 0 '()))
  (test "reduce passes element then result" '(3 2 . 1) (reduce cons 0 '(1 2 3)))
  (test "append-map joins results" '(1 1 2 2) (append-map (lambda (x) (list x x)) '(1 2)))
  (test "list-index finds the first" 1 (list-index even? '(1 2 4)))
  (test "list-index of nothing is #f" #f (list-index even? '(1)))
  (test "sort is stable"
        '((0 a) (0 b) (1 a) (1 b))
        (sort '((1 a) (0 a) (1 b) (0 b)) (lambda (x y) (< (car x) (car y)))))
  (test "sort orders long lists" (iota 1000) (sort (reverse (iota 1000)) <))
  (test "sort of a vector is a vector" '#(1 2 3) (sort '#(3 1 2) <))
  (test "sort leaves its argument as it was" '(2 1) (let ((list (list 2 1))) (sort list <) list)))

(test-group "strings"
  (test "string-index finds a character" 1 (string-index "abc" #\b))
  (test "string-index takes a predicate" 2 (string-index "ab1" char-numeric?))
  (test "string-index-right finds the last" 3 (string-index-right "abab" #\b))
  (test "string-contains finds the first place" 2 (string-contains "ababc" "abc"))
  (test "every string contains the empty one" 0 (string-contains "a" ""))
  (test "a string does not contain a longer one" #f (string-contains "a" "ab"))
  (test-assert "string-prefix?" (string-prefix? "ab" "abc"))
  (test-assert "a longer string is no prefix" (not (string-prefix? "abc" "ab")))
  (test-assert "string-suffix?" (string-suffix? "bc" "abc"))
  (test "string-split keeps empty parts" '("a" "" "b" "") (string-split "a,,b," #\,))
  (test "string-split of the empty string is one empty part" '("") (string-split "" #\,))
  (test "string-join undoes string-split" "a,,b" (string-join (string-split "a,,b" #\,) ","))
  (test "string-join of nothing" "" (string-join '() ", "))
  (test "string-join of more than a call takes" 20000 (string-length (string-join (map (lambda (i) "a") (iota 20000)) "")))
  (test "append-map of more than a call takes" 20000 (length (append-map list (iota 20000))))
  (test "hexadecimal of more than a call takes" 40000 (string-length (u8vector->hex (make-u8vector 20000 1))))
  (test "string-trim" "a b" (string-trim " \ta b\n"))
  (test "string-trim of blanks" "" (string-trim "  "))
  (test "string-upcase" "ABC1" (string-upcase "aBc1"))
  (test "string-pad-left cuts the left" "bc" (string-pad-left "abc" 2))
  (test "string-pad-right fills" "a  " (string-pad-right "a" 3))
  (test "string-repeat" "ababab" (string-repeat "ab" 3))
  (test "string-replace replaces all" "b.b" (string-replace "a.a" "a" "b"))
  (test "text displays its parts" "1 of (a)" (text 1 " of " '(a))))

(test-group "numbers"
  (test "hex pads with zeros" "00ff" (hex 255 4))
  (test "hex does not cut" "12345" (hex #x12345 2))
  (test "number->hex" "0xff" (number->hex 255))
  (test "number->hex of a negative number" "-0x1" (number->hex -1))
  (test "u64 of -1" #xFFFFFFFFFFFFFFFF (u64 -1))
  (test "u64 wraps" 1 (u64 (+ 1 (expt 2 64))))
  (test "s64 of the highest number" -1 (s64 #xFFFFFFFFFFFFFFFF))
  (test "s64 at the edge" (- (expt 2 63)) (s64 (expt 2 63)))
  (test "s32" -1 (s32 #xFFFFFFFF))
  (test "u32" #xFFFFFFFF (u32 -1)))

(test-group "bytes"
  (test "little-endian there" '#u8(4 3 2 1) (number->u8vector #x01020304 4))
  (test "negative numbers by their low bytes" '#u8(255 255) (number->u8vector -1 2))
  (test "and back" #x01020304 (u8vector->number '#u8(4 3 2 1)))
  (test "64 bits" #xFEDCBA9876543210
        (u8vector-ref-le (number->u8vector #xFEDCBA9876543210 8) 0 8))
  (test "concatenation" '#u8(1 2 3) (u8vector-concatenate '(#u8(1) #u8() #u8(2 3))))
  (test "UTF-8 there and back" (list->string (map integer->char '(97 233 8364 128512)))
        (utf8->string (string->utf8 (list->string (map integer->char '(97 233 8364 128512))))))
  (test "UTF-8 bytes" '#u8(#xC3 #xA9) (string->utf8 (string (integer->char 233))))
  (test "bytes that are no UTF-8 are replaced" '(#xFFFD 65 #xFFFD)
        (map char->integer (string->list (utf8->string '#u8(255 65 #xC3)))))
  (test "surrogates are no UTF-8" '(#xFFFD #xFFFD #xFFFD)
        (map char->integer (string->list (utf8->string '#u8(#xED #xA0 #x80)))))
  (test "hexadecimal there" "00ff10" (u8vector->hex '#u8(0 255 16)))
  (test "hexadecimal back" '#u8(0 255 16) (hex->u8vector "00 ff 10"))
  (test-error "an odd number of digits" "even number" (hex->u8vector "abc"))
  (test-error "no digits" "not hexadecimal" (hex->u8vector "zz"))
  (test "files hold what was written" '#u8(0 13 10 255)
        (let ((path (temporary-path "comet-util-test")))
          (write-file-bytes path '#u8(0 13 10 255))
          (let ((bytes (read-file-bytes path))) (delete-file path) bytes))))

(test-group "names that were nearly right"
  (test "equal strings" 0 (edit-distance "abc" "abc"))
  (test "a swap is one step" 1 (edit-distance "mvo" "mov"))
  (test "kitten, sitting" 3 (edit-distance "kitten" "sitting"))
  (test "the nearest comes first" '(mov) (closest-names 'mvo '(move add mov)))
  (test "case does not count" '("Main") (closest-names "main" '("Main" "other")))
  (test "a sentence end" " (did you mean `step`?)" (did-you-mean "stpe" '("step" "run")))
  (test "a letter is near no other" "" (did-you-mean "é" '("p" "r" "i")))
  (test "nothing near, nothing said" "" (did-you-mean "zzzz" '("step" "run"))))

(test-group "errors"
  (test "an error in one line" "what 1 \"x\"" (with-exception-catcher exception->text (lambda () (error "what" 1 "x"))))
  (test-assert "errors of Gambit's own"
    (string-contains (with-exception-catcher exception->text (lambda () (car 1))) "PAIR expected"))
  (test "captured output" "a1" (with-captured-output (lambda () (display "a") (write 1)))))

(test-group "documentation"
  (define-documented (twice x) "Two times X." (* 2 x))
  (test "the definition works" 6 (twice 3))
  (test "its text is kept" "Two times X." (documentation 'twice))
  (test "its usage is kept" '(twice x) (documentation-usage 'twice))
  (test "what has none" #f (documentation 'no-such-procedure))
  (test "a wrong number of arguments tells the right one"
        "`twice` got 2 arguments; it is called as (twice x)"
        (with-exception-catcher exception->text (lambda () (twice 1 2)))))

(test-group "tests that are written wrongly"
  (test-error "without an expected value" "a test is written (test \"promise\" expected expression), not"
              (eval '(test "promise" 5)))
  (test-error "without an expression" "a test is written (test-assert \"promise\" expression), not"
              (eval '(test-assert "promise"))))
