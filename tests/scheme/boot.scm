(use scheme-lib/test)
(use scheme-lib/util)

;; A library of a user's own, in a folder on COMET_PATH.
(define folder (temporary-path "comet-boot-test"))

(define (write-library name header body)
  (write-file-text (path-expand (text name "#.scm") folder) header)
  (write-file-text (path-expand (text name ".scm") folder) body))

(create-directory folder)
(create-directory (path-expand "shop" folder))
(write-library "shop/prices"
               "(##namespace (\"shop/prices#\" price loads)) (##define-macro (twice-price x) `(* 2 (shop/prices#price ,x)))"
               "(module shop/prices) (define loads 0) (set! loads (+ loads 1)) (define (secret x) (* 10 x)) (define (price x) (secret x))")
(write-library "shop/bill"
               "(##namespace (\"shop/bill#\" bill))"
               "(module shop/bill) (use shop/prices) (use scheme-lib/util) (define (bill list) (reduce + 0 (map (lambda (x) (twice-price x)) list)))")
(write-library "shop/silent" "(##namespace (\"shop/silent#\"))" "(module shop/silent) (define (quiet) '(1 2))")
(write-library "shop/broken" "(##namespace (\"shop/broken#\" x))" "(module shop/broken) (define x (car '()))")
(write-library "shop/snake" "(##namespace (\"shop/snake#\" x))" "(module shop/snake) (use shop/tail) (define x 1)")
(write-library "shop/tail" "(##namespace (\"shop/tail#\" y))" "(module shop/tail) (use shop/snake) (define y 1)")
(write-library "shop/wrong-name" "(##namespace (\"shop/wrong-name#\" x))" "(define x 1)")

(define path-before (getenv "COMET_PATH" ""))
(define choice-before (getenv "COMET_LOAD" ""))
(setenv "COMET_LOAD" "newest")
(setenv "COMET_PATH" (text "/nonexistent:" folder))

(test-group "the module registry"
  (test "a library of one's own uses the project's" 60 (eval '(begin (use shop/bill) (bill '(1 2)))))
  (test "its exports are seen" 50 (eval '(begin (use shop/prices) (price 5))))
  (test "its macros are seen" 100 (eval '(twice-price 5)))
  (test "what it keeps for itself is not" #t
        (with-exception-catcher unbound-global-exception? (lambda () (eval '(secret 1)))))
  (test "it is loaded once" 1 (eval '(begin (use shop/prices) (use shop/bill) loads)))
  (test "a library without exports moves no names" 7 (eval '(begin (use shop/silent) (+ 3 4))))
  (test-error "a library that is not there names the folders" folder (eval '(use shop/none)))
  (test-error "and says what was looked for" "library shop/none was not found: there is no shop/none.scm in " (eval '(use shop/none)))
  (test-error "and how more are named" "A library's name is its path from one of these; COMET_PATH adds folders."
              (eval '(use shop/none)))
  (test-error "an error in a library is the user's" "PAIR expected" (eval '(use shop/broken)))
  (test-error "and comes again when it is tried again" "PAIR expected" (eval '(use shop/broken)))
  (test-error "libraries in a circle" "break the circle" (eval '(use shop/snake)))
  (test-error "a body without its module form" "does not begin with (module shop/wrong-name)"
              (eval '(use shop/wrong-name)))
  (test-error "a body without a header" "has no header shop/bare#.scm"
              (begin (write-file-text (path-expand "shop/bare.scm" folder) "(module shop/bare)")
                     (load (path-expand "shop/bare.scm" folder))))
  (test-error "compiled libraries only" " must be compiled before it is used ("
              (begin (setenv "COMET_LOAD" "compiled") (eval '(use shop/wrong-name))))
  (test-error "and how they are made" "): run `make scheme` in the project's folder, or unset COMET_LOAD"
              (begin (setenv "COMET_LOAD" "compiled") (eval '(use shop/wrong-name))))
  (setenv "COMET_LOAD" "newest")
  (test-error "a name that is no symbol" "is a symbol" (eval '(use "shop/bill")))
  (test "a changed library is loaded anew" 70
        (begin
          (write-library "shop/prices"
                         "(##namespace (\"shop/prices#\" price loads))"
                         "(module shop/prices) (define loads 0) (define (price x) (* 70 x))")
          (boot#reload! 'shop/prices)
          (eval '(price 1))))
  (test-assert "the registry lists what is loaded" (memq 'scheme-lib/util (boot#modules))))

(setenv "COMET_PATH" path-before)
(setenv "COMET_LOAD" choice-before)
(for-each (lambda (file) (delete-file (path-expand file (path-expand "shop" folder))))
          (directory-files (path-expand "shop" folder)))
(delete-directory (path-expand "shop" folder))
(delete-directory folder)
