// Reading and writing whole files. Nobody ever sees half of one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace strata {

// Throws InputError if it cannot be read.
std::string whole_file(const std::filesystem::path& file);

// To a temporary beside the target, then renamed. Throws InputError if that cannot be written.
void write_whole(const std::filesystem::path& target, const std::string& text);

// Held while files are written that belong together: another process that wants to write there waits. The system lets
// go of it when a process ends, however it ends.
class FolderLock {
public:
    explicit FolderLock(const std::filesystem::path& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    int folder_ = -1;
};

// A folder to write into, made if it is not there, and tried beforehand so that a long study does not end in an error.
// What was made and stayed empty is taken away again.
class OutputFolder {
public:
    // Throws InputError if nothing can be written there.
    explicit OutputFolder(const std::filesystem::path& folder);
    ~OutputFolder();
    OutputFolder(const OutputFolder&) = delete;
    OutputFolder& operator=(const OutputFolder&) = delete;

private:
    std::vector<std::filesystem::path> made_;  // the innermost first
};

}  // namespace strata
