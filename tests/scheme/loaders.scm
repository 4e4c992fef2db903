;; Loaders: recognition, memory contents in text formats, mistakes in them, loaders of one's own.

(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/image)
(use scheme-lib/state)
(use scheme-lib/generator)
(use scheme-lib/test-property)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/standard)
(use scheme-lib/loaders/raw)
(use scheme-lib/loaders/intel-hex)
(use scheme-lib/loaders/s-records)
(use asm/loaders)
(use asm/assembler)
(use vm-ext/gambit/vm)

(define (lines . all) (string->utf8 (string-join all "\n")))
(define (contents image)
  (map (lambda (section) (cons (vector-ref section 1) (vector-ref section 2))) (image-sections image)))
(define (loader-for . all) (loader-name (loader-of (apply lines all) #f)))
(define (mistake thunk) (with-exception-catcher exception->text thunk))
(define (mistake-in . all) (mistake (lambda () (bytes->image (apply lines all) "f"))))

(define fib (->image "examples/fib.s"))

(test-group "a file's content decides who loads it"
  (test "an image" 'image (loader-name (loader-of (image->bytes fib) #f)))
  (test "an object" 'object (loader-name (loader-of (object->bytes (asm-object-string "nop")) #f)))
  (test "an archive" 'archive (loader-name (loader-of (archive->bytes (make-archive "a" '())) #f)))
  (test "a state" 'state (loader-name (loader-of (machine->bytes (make-machine)) #f)))
  (test "Intel HEX" 'intel-hex (loader-for ":00000001FF"))
  (test "S-records" 's-records (loader-for "" "S9030000FC"))
  (test "a source" 'source (loader-for "_start: halt"))
  (test "a source that begins like S-records" 'source (loader-for "S1: halt ; and more"))
  (test "nothing at all" 'source (loader-for "")))

(test-group "programs of each format"
  (test "a source" '(#u8(127)) (map cdr (contents (bytes->image (lines "_start: halt")))))
  (test "an object is linked" '(#u8(127)) (map cdr (contents (bytes->image (object->bytes (asm-object-string "_start: halt"))))))
  (test "of an archive, all members are"
        '(#u8(127))
        (map cdr (contents (bytes->image (archive->bytes
                                          (make-archive "a" (list (make-member "f.o" (object->bytes (asm-object-string "_start: halt"))))))))))
  (test "a state gives its program" (contents fib)
        (contents (bytes->image (let ((m (make-machine))) (machine-load! m fib) (machine->bytes m image: fib)))))
  (test "unless it has none" "f: there is no program in this state"
        (mistake (lambda () (bytes->image (machine->bytes (make-machine)) "f"))))
  (let ((raw (parameterize ((loader-to-use (raw-loader #x20000))) (bytes->image (u8vector 127)))))
    (test "raw bytes stand where they are told to" '((#x20000 . #u8(127))) (contents raw))
    (test "and begin there" #x20000 (image-entry raw)))
  (test "raw bytes need be some" "f: the file is empty"
        (mistake (lambda () (parameterize ((loader-to-use (raw-loader 0))) (bytes->image (u8vector) "f")))))
  (test "and to have room" "f: its 2 bytes do not fit behind 0xffffffffffffffff"
        (mistake (lambda () (parameterize ((loader-to-use (raw-loader (- (expt 2 64) 1)))) (bytes->image (u8vector 1 2) "f")))))
  (let ((source (loader-named 'source)))
    (define-loader source "nothing" recognises: (lambda (bytes path) #f))
    (test "where none takes what others leave, that is told" "f: this is no program: no loader recognises it"
          (mistake-in "halt"))
    (register-loader! source))
  (test-error "a loader has a name" "there is no loader `imag` (did you mean `image`?)" (loader-named 'imag)))

(test-group "Intel HEX"
  (define (read . all) (bytes->image (apply lines all)))
  (test "data in lines that touch is one section, in any order, with any ends of lines"
        '((#x100 . #u8(1 2 3)))
        (contents (read "" ":0101020003F9\r" ":020100000102FA\r" ":00000001ff" "")))
  (test "without a start, it begins at the lowest address" #x100 (image-entry (read ":0101000005F9" ":00000001FF")))
  (test "type 05 says where it begins" #x12345678
        (image-entry (read ":0400000512345678E3" ":0101000005F9" ":00000001FF")))
  (test "type 03 does so by segments" #x12350 (image-entry (read ":0400000312340010A3" ":0101000005F9" ":00000001FF")))
  (test "type 04 sets the upper half" '((#x80010000 . #u8(5))) (contents (read ":02000004800179" ":0100000005FA" ":00000001FF")))
  (test "type 02 sets a segment, in which addresses go round" '((#x12340 . #u8(2)) (#x2233f . #u8(1)))
        (contents (read ":020000021234B6" ":02FFFF000102FD" ":00000001FF")))
  (test "a colon is missing" "f:2:1: a record begins with `:`" (mistake-in ":0100000005FA" "0100000005FA"))
  (test "no digit" "f:1:4: expected a hexadecimal digit, found `x`" (mistake-in ":00x00001FF"))
  (test "in a later line" "f:2:4: expected a hexadecimal digit, found `x`" (mistake-in ":0100000005FA" ":00x00001FF"))
  (test "no character" "f:2:2: expected a hexadecimal digit, found byte 7" (mistake-in ":0100000005FA" ":\a0000001FF"))
  (test "half a byte" "f:2:11: the record ends here, within a byte or before all of it"
        (mistake-in ":0100000005FA" ":00000001F"))
  (test "too short" "f:2:8: the record ends too early: it has 3 of at least 5 bytes" (mistake-in ":0100000005FA" ":000000"))
  (test "another length than it says" "f:1:2: the record says that it has 2 bytes of data, but it has 1"
        (mistake-in ":0200000005F9"))
  (test "a wrong sum" "f:1:12: the sum is fb, but that of the record's bytes is fa" (mistake-in ":0100000005FB"))
  (test "a type that is none" "f:1:8: there is no record type 06; they are 00 to 05" (mistake-in ":00000006FA"))
  (test "a type with data of another length" "f:1:2: a record of type 04 has 2 bytes of data, not 1"
        (mistake-in ":0100000401FA"))
  (test "what was given twice" "f:2: what stands at 0x00000000 was given already, in line 1"
        (mistake-in ":0100000005FA" ":0100000006F9" ":00000001FF"))
  (test "something behind the end" "f:2:1: the record in line 1 was to be the last" (mistake-in ":00000001FF" ":0100000005FA"))
  (test "no end" "f: the record that ends the file, :00000001FF, is not there" (mistake-in ":0100000005FA"))
  (test "no data" "f: there is no data in it" (mistake-in ":00000001FF")))

(test-group "S-records"
  (define (read . all) (bytes->image (apply lines all)))
  (test "addresses of 2, 3 and 4 bytes" '((#x100 . #u8(1)) (#x10000 . #u8(2)) (#x1000000 . #u8(3)))
        (contents (read "S0030000FC" "S104010001F9" "S20501000002F7" "S3060100000003F5" "S5030003F9" "S9030000FC")))
  (test "the end says where it begins" #x20100 (image-entry (read "S104010001F9" "S804020100F8")))
  (test "a beginning of 0 is none" #x100 (image-entry (read "S104010001F9" "S9030000FC")))
  (test "an S is missing" "f:2:1: a record begins with `S`" (mistake-in "S0030000FC" "9030000FC"))
  (test "a type that is none" "f:2:2: behind `S` stands the type, 0 to 9 but not 4" (mistake-in "S0030000FC" "S4030000FC"))
  (test "too short" "f:2:7: the record ends too early: it has 2 of at least 4 bytes" (mistake-in "S0030000FC" "S10301"))
  (test "another length than it says" "f:1:3: the record says that 5 bytes follow, but there are 4" (mistake-in "S105010001F8"))
  (test "a wrong sum" "f:1:11: the sum is f8, but that of the record's bytes is f9" (mistake-in "S104010001F8"))
  (test "a count of records" "f:2:5: there should be 3 records of data before this one, but there are 1"
        (mistake-in "S104010001F9" "S5030003F9"))
  (test "something behind the end" "f:2:1: the record in line 1 was to be the last" (mistake-in "S9030000FC" "S0030000FC"))
  (test "no end" "f: the record that ends the file, S7, S8 or S9, is not there" (mistake-in "S104010001F9")))

(test-group "what is written is read again"
  (define (image-at address bytes)
    (make-image entry: address sections: (list (vector "a" address bytes #f read-write-execute))))
  (test-property "as Intel HEX and as S-records"
      ((address (gen-integer 0 200000)) (bytes (gen-u8vector 1 300)))
    (let* ((image (image-at address bytes)) (same (lambda (text) (let ((again (bytes->image (string->utf8 text))))
                                                               (and (equal? (contents image) (contents again))
                                                                    (= (image-entry image) (image-entry again)))))))
      (and (same (image->intel-hex image)) (same (image->s-records image))))
    count: 30)
  (test "zeros that take no room in an image do" 4096
        (u8vector-length (cdar (contents (bytes->image (string->utf8 (image->intel-hex
          (make-image sections: (list (vector "a" 0 (u8vector 1) 4096 3))))))))))
  (test "raw bytes have zeros between sections" '(16 . #u8(1 0 0 2))
        (image->raw (make-image sections: (list (vector "a" 16 (u8vector 1) #f 3) (vector "b" 19 (u8vector 2) #f 3)))))
  (test-error "within reason" "the program lies between 0x00000000 and 0x10000000001, which is too much for a file of all bytes between"
    (image->raw (make-image sections: (list (vector "a" 0 (u8vector 1) #f 3) (vector "b" (expt 2 40) (u8vector 2) #f 3)))))
  (test-error "and within the format's addresses" "the section a ends at 0x10000000000; addresses of this format end at 0x100000000"
    (image->s-records (image-at (- (expt 2 40) 1) (u8vector 1)))))

(test-group "a loader of one's own"
  (define-loader stars "as many nops as stars, with one that is slow"
    recognises: (lambda (bytes path) (eqv? 0 (u8vector-index bytes 42)))
    load: (lambda (bytes path)
            (if (u8vector-index bytes 43) (fail-at path 1 (+ 1 (u8vector-index bytes 43)) "a plus is no star"))
            (program-image (asm-string (string-append (string-join (map (lambda (star) "nop\n") (u8vector->list bytes)) "") "halt")))))
  (test "makes programs of its format" '(#u8(1 1 127)) (map cdr (contents (bytes->image (string->utf8 "**")))))
  (test "and says what is wrong" "f:1:3: a plus is no star" (mistake-in "**+"))
  (test "the table has it" 'stars (loader-name (loader-named 'stars))))

;; Bytes of one file, changed here and there, make an image or a mistake that a loader tells of.
(define (survives? bytes)
  (with-exception-catcher
   (lambda (exception) (or (load-error? exception) (asm-error? exception) (vm-error? exception) (raise exception)))
   (lambda () (bytes->image bytes "f") #t)))

(define (gen-damaged bytes)
  (gen-map (lambda (changes end)
             (let ((damaged (subu8vector bytes 0 (- (u8vector-length bytes) end))))
               (for-each (lambda (change)
                           (if (< (car change) (u8vector-length damaged))
                               (u8vector-set! damaged (car change) (cdr change))))
                         changes)
               damaged))
           (gen-list (gen-map cons (gen-integer 0 (- (u8vector-length bytes) 1)) (gen-byte)) 1 4)
           (gen-integer 0 8)))

(define simple-source ".data\na: .asciiz 'hi'\nn: .integer #-5\n.code\nx: load $1 #70000\nprts @a\ncall @x\njmpe @x ; no\nhlt\n")

(test-group "damaged files"
  (for-each
   (lambda (name bytes)
     (let ((gen (gen-damaged bytes)))
       (test-property name ((bytes gen)) (survives? bytes))))
   '("Intel HEX" "S-records" "the Simple VM's files" "its sources")
   (list (lines ":0101020003F9" ":020100000102FA" ":02000004800179" ":0400000512345678E3" ":00000001FF")
         (lines "S0030000FC" "S104010001F9" "S20501000002F7" "S3060100000003F5" "S5030003F9" "S9030000FC")
         (u8vector-append (string->utf8 "EPIE") (make-u8vector 60 0) (u8vector 3 0 0 0 104 105 0 0 1 0 3 21 0 0 0 46 0 71 0 5 0 0 0))
         (string->utf8 simple-source))))

;; The loader that the manual shows, as it stands there.
(define (manual-code path)
  (let loop ((lines (string-split (read-file-text path) #\newline)) (code '()) (inside? #f))
    (cond ((null? lines) (string-join (reverse code) "\n"))
          ((string-prefix? "```" (car lines)) (loop (cdr lines) code (string=? (car lines) "```scheme")))
          (else (loop (cdr lines) (if inside? (cons (car lines) code) code) inside?)))))

(test-group "the manual's loader"
  (let ((file (temporary-path "brackets.scm")) (machine (make-machine)) (output (open-output-string)))
    (write-file-text file (manual-code "scheme-lib/loaders/README.md"))
    (load file)
    (machine-load! machine (string->utf8 "#!brackets ++++[>++++++<-]>[>+++<-]>."))
    (machine-stream-set! machine 1 output)
    (test "loads a program that runs" 'halted (stop-reason (machine-run! machine)))
    (test "and does what it should" "H" (get-output-string output))
    (test "and tells of a bracket without its other" "f:1:12: this [ has no ]" (mistake-in "#!brackets [+"))
    (test "of either kind" "f:1:13: this ] has no [" (mistake-in "#!brackets +]"))))
