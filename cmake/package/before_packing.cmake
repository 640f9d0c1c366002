# cpack runs this on the files that it is about to pack.

# Removes the path of this machine's LibTorch.
file(GLOB_RECURSE libraries "${CPACK_TEMPORARY_DIRECTORY}/libiris_*_verb*.so")
file(GLOB_RECURSE built_with "${CPACK_TEMPORARY_DIRECTORY}/iris-built-with.cmake")
file(REMOVE ${built_with})
foreach(library IN LISTS libraries)
  file(RPATH_REMOVE FILE "${library}")
endforeach()

# As Debian's policy asks for.
if(CPACK_GENERATOR STREQUAL "DEB")
  file(GLOB_RECURSE texts "${CPACK_TEMPORARY_DIRECTORY}/*.1" "${CPACK_TEMPORARY_DIRECTORY}/changelog*")
  execute_process(COMMAND gzip -9n ${texts} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE zsh "${CPACK_TEMPORARY_DIRECTORY}/_iris")
  cmake_path(GET zsh PARENT_PATH folder)
  cmake_path(REPLACE_FILENAME folder vendor-completions OUTPUT_VARIABLE vendor)
  file(RENAME "${folder}" "${vendor}")
endif()
