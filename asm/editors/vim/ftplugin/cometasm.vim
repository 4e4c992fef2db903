" Sources of Comet VM's assembler. Vim has taken the file for another assembler's before, whose settings these replace.
let b:did_ftplugin = 1
setlocal comments=:; commentstring=;\ %s
setlocal expandtab tabstop=8 shiftwidth=8
let b:undo_ftplugin = "setlocal comments< commentstring< expandtab< tabstop< shiftwidth<"
