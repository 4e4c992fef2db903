#!/bin/bash
# The files for Vim and Emacs, in these editors run without a screen. Where one is missing, that is said.
set -u
cd "$(dirname "$0")/.." || exit 1
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/harness.sh

cat >"$WORK/sample.s" <<'END'
# counts
        (define (twice r) (list 'add r r r))
_start: imm     r1, 0x10        ; add
        .word   1, 'x'
        bnei    r1, 0, _start
        (twice r2)
END
printf '\t.text\n\tmovq %%rax, %%rbx\n' >"$WORK/other.s"

# Where neither editor is, this is what can be said.
check "both files know the mnemonics" 2 "$(grep -lwr bnei asm/editors --include='*.vim' --include='*.el' | wc -l)"

# group LINE COLUMN: what stands there is shown as.
if command -v vim >/dev/null && vim --version | grep -q '+syntax'; then
  vim_says() {
    timeout 20 vim -Nu NONE -i NONE -es --cmd 'set runtimepath^=asm/editors/vim' -c 'filetype plugin on' -c 'syntax on' \
      -c "edit $1" -c "call writefile([$2], '$WORK/said')" -c 'qa!' </dev/null >/dev/null 2>&1
    cat "$WORK/said" 2>/dev/null
  }
  check "vim knows a source by its content" cometasm "$(vim_says "$WORK/sample.s" '&filetype')"
  check "vim leaves other assemblers' sources alone" asm "$(vim_says "$WORK/other.s" '&filetype')"
  check "vim comments with ;" '; %s' "$(vim_says "$WORK/sample.s" '&commentstring')"
  while read -r line column group what; do
    check "vim shows $what" "$group" "$(vim_says "$WORK/sample.s" "synIDattr(synID($line, $column, 1), 'name')")"
  done <<'END'
1 1 cometComment a comment line
2 9 cometParenthesis a Scheme form
2 10 cometScheme a word of Scheme
3 1 cometLabel a label
3 9 cometInstruction a mnemonic
3 17 cometRegister a register
3 21 cometNumber a number
3 35 cometComment a mnemonic in a comment
4 10 cometDirective a directive
4 20 cometCharacter a character
5 9 cometInstruction a branch
END
  for example in examples/*.s; do
    check "vim knows $example" cometasm "$(vim_says "$example" '&filetype')"
  done
else
  echo "SKIPPED vim: it is not installed"
fi

if command -v emacs >/dev/null; then
  emacs_says() {
    timeout 60 emacs -Q --batch -L asm/editors -l comet-asm-mode --eval "(progn (find-file \"$1\") (font-lock-ensure) (princ $2))" 2>/dev/null
  }
  check "emacs compiles the mode without a warning" "" \
    "$(cp asm/editors/comet-asm-mode.el "$WORK" && timeout 60 emacs -Q --batch --eval '(setq byte-compile-error-on-warn t)' \
       -f batch-byte-compile "$WORK/comet-asm-mode.el" 2>&1)"
  check "emacs knows a source by its content" comet-asm-mode "$(emacs_says "$WORK/sample.s" major-mode)"
  check "emacs leaves other assemblers' sources alone" asm-mode "$(emacs_says "$WORK/other.s" major-mode)"
  while read -r line column face what; do
    check "emacs shows $what" "font-lock-$face-face" \
      "$(emacs_says "$WORK/sample.s" "(progn (goto-line $line) (move-to-column $((column - 1))) (get-text-property (point) 'face))")"
  done <<'END'
1 3 comment a comment line
2 10 keyword a word of Scheme
3 1 function-name a label
3 9 keyword a mnemonic
3 17 variable-name a register
3 21 constant a number
3 35 comment a mnemonic in a comment
4 10 preprocessor a directive
4 20 string a character
END
else
  echo "SKIPPED emacs: it is not installed"
fi

finish
