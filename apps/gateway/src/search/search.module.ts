import { Module } from '@nestjs/common';
import { SearchMode } from './search-mode.service.js';
import { ToolSearch } from './tool-search.repository.js';

@Module({ providers: [SearchMode, ToolSearch], exports: [SearchMode] })
export class SearchModule {}
