// What the program's exit status says; docs: the README, iris --help.
#pragma once

namespace iris {

enum ExitStatus {
  kDone = 0,
  kFailed = 1,       // the work could not be done
  kWrongUsage = 2,   // the command line is wrong
  kRowsSkipped = 3,  // done, without the bad rows
  kSignalBase = 128  // plus the signal's number: a signal ended the run
};

}  // namespace iris
