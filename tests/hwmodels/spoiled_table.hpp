// What reading a shipped table says once one place of it is spoiled.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {

template <class Read>
std::string error_of_spoiled(const std::string& file, const std::string& from, const std::string& to, Read read) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    std::string spoiled = text.str();
    const std::size_t place = spoiled.find(from);
    if (place == std::string::npos) return "the table does not say " + from;
    spoiled.replace(place, from.size(), to);
    // In a copy of the catalogue, for tables that name others.
    const std::filesystem::path shipped(file), catalog = shipped.parent_path().parent_path();
    const ScratchFolder folder;
    std::filesystem::copy(catalog, folder.path(), std::filesystem::copy_options::recursive);
    const std::string name = shipped.parent_path().filename().string() + "/" + shipped.filename().string();
    try {
        read(folder.write(name, spoiled));
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace strata
